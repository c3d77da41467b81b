"""What the package exports, and that all of its public surface is documented."""

import inspect
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import fer_core

ROOT = Path(__file__).parents[1]


def surface() -> list[str]:
    """Return the modules that the type checker holds to its strict rules: the core's public surface."""
    strict = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]["strict"]
    files = [
        file for path in strict for file in ([ROOT / path] if path.endswith(".py") else (ROOT / path).glob("*.py"))
    ]
    return sorted(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files)


def public_objects(module: ModuleType) -> dict[str, object]:
    """Return the public classes and functions of a module, and the public methods and properties of its classes."""
    objects: dict[str, object] = {}
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value) or inspect.isfunction(value):
            objects[name] = value
        if inspect.isclass(value):
            parts = {part: what for part, what in vars(value).items() if not part.startswith("_")}
            documented = (property, classmethod, staticmethod)
            objects |= {
                f"{name}.{part}": what
                for part, what in parts.items()
                if inspect.isfunction(what) or isinstance(what, documented)
            }
    return objects


@pytest.mark.parametrize("name", fer_core.__all__)
def test_every_exported_name_exists_and_is_documented(name):
    value = getattr(fer_core, name)
    if inspect.isclass(value):
        assert inspect.getdoc(value)
        assert value.__module__.startswith("fer_core.")


def test_what_is_exported_is_what_the_checker_sees():
    source = (ROOT / "fer_core" / "__init__.py").read_text()
    assert set(fer_core.__all__) == {*fer_core._MODULES, "__version__"}
    for name, module in fer_core._MODULES.items():
        assert f"    from {module} import" in source
        assert getattr(fer_core, name) is getattr(import_module(module), name)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Recogniser'"):
        fer_core.Recogniser  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, fer_core\nassert not {'numpy', 'cv2', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)


@pytest.mark.parametrize("name", surface())
def test_the_public_surface_is_documented(name):
    module = import_module(name)
    if not vars(module).get("__doc__"):
        assert not public_objects(module), f"{name} has no docstring"
    undocumented = [part for part, value in public_objects(module).items() if not inspect.getdoc(value)]
    assert not undocumented, f"{name}: {', '.join(undocumented)} has no docstring"
