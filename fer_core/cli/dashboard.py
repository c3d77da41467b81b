"""The commands that open the dashboard in a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

import fer_core
from fer_core.errors import FerError, ModelError
from fer_core.settings import home_folder

_PACKAGE = Path(fer_core.__file__).parent


def open_dashboard(
    port: Annotated[int | None, typer.Option(help="Port of the server. (default: 8501)", show_default=False)] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; 0.0.0.0 opens it to the network. (default: localhost)", show_default=False
        ),
    ] = None,
) -> None:
    """Open the dashboard in the browser."""
    _serve({}, port, address)


def display(
    weights: Annotated[Path | None, typer.Option(help="Weights that the original script saved (model.h5).")] = None,
) -> None:
    """Open the dashboard, with --weights on the original script's."""
    if weights is None:
        _serve({})
        return
    with tempfile.TemporaryDirectory(prefix="fer-") as folder:
        # In a process of its own: converting needs TensorFlow, the server must not load it.
        converted = subprocess.run(
            [sys.executable, "-m", "fer_core", "convert", str(weights.resolve()), "--out", folder],
            cwd=_PACKAGE.parent,
        )
        if converted.returncode != 0:
            raise ModelError(f"{weights} was not converted, so the page was not opened.")
        _serve({"FER_MODEL": folder})


def app_file() -> Path:
    """Return where the app's main file is: in an installed package inside it, in a checkout beside it.

    Raises:
        FerError: it is in neither place.
    """
    places = (_PACKAGE / "app" / "app.py", _PACKAGE.parent / "app.py")
    for file in places:
        if file.is_file():
            return file
    raise FerError(f"The app is missing: expected {places[0]} or {places[1]}. Install the package again.")


def _serve(environment: dict[str, str], port: int | None = None, address: str | None = None) -> None:
    """Run the server until it is stopped; it works in the app's folder, where its configuration is."""
    file = app_file()
    command = [sys.executable, "-m", "streamlit", "run", str(file)]
    if port is not None:
        command += ["--server.port", str(port)]
    if address is not None:
        command += ["--server.address", address]
    # As an absolute path: a relative one would name another folder there.
    environment = {**os.environ, "FER_HOME": str(home_folder()), **environment}
    subprocess.run(command, cwd=file.parent, env=environment)
