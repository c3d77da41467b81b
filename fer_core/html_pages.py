"""Reports as pages of HTML, made from templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2

from fer_core.formats import percent


def template(path: Path, **filters: Callable[..., object]) -> jinja2.Template:
    """Return the template of a page.

    Everything that is put into it is escaped, and a name that is missing is an error. The filters `percent` and `count`
    (a whole number with separators) are there always.

    Args:
        path: of the template.
        filters: further ones, by name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "count": "{:,}".format, **filters}
    return environment.get_template(path.name)
