"""The package as pip sees it: its requirements, and what its wheel holds."""

import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

import fer_core

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
TESTED_EXTRAS = ("train", "service", "excel", "heic", "cluster", "slurm", "remote", "sweep", "postgres", "lsl")


def pins(name: str) -> dict[str, str]:
    """Return the requirements of a file that name a version: package to version."""
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return dict(line.split("==") for line in lines if "==" in line)


def bounds(requirements: list[str]) -> dict[str, str]:
    """Return the lowest version that each requirement allows."""
    return dict(re.match(r"([\w.\-\[\]]+)>=([\d.]+)", requirement).groups() for requirement in requirements)


def plain(requirements: dict[str, str]) -> dict[str, str]:
    return {name.split("[")[0].lower(): version for name, version in requirements.items()}


@pytest.mark.parametrize(
    ("file", "requirements"),
    [
        (
            "requirements.txt",
            [
                *PROJECT["dependencies"],
                *(bound for extra in TESTED_EXTRAS for bound in EXTRAS[extra]),
            ],
        ),
        ("requirements-dev.txt", EXTRAS["test"]),
    ],
)
def test_pinned_and_declared_requirements_are_the_same_packages(file, requirements):
    pinned, lowest = pins(file), bounds(requirements)
    assert pinned.keys() == lowest.keys()
    for name, version in pinned.items():
        assert [*map(int, version.split(".")[:2])] >= [*map(int, lowest[name].split(".")[:2])], name


def test_what_is_required_is_pinned_in_the_constraints_too():
    constraints = plain(pins("constraints.txt"))
    required = plain(pins("requirements.txt") | pins("requirements-dev.txt"))
    assert {name: constraints.get(name) for name in required} == required


def test_without_an_extra_nothing_needs_tensorflow():
    heavy = ("tensorflow", "keras", "jax", "onnx", "h5py")
    assert not [name for name in bounds(PROJECT["dependencies"]) if name.startswith(heavy)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    [file] = builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))
    with zipfile.ZipFile(file) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_package_and_the_app(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "fer_core", "pages", "app.py", ".streamlit"], cwd=ROOT, capture_output=True, text=True
    )
    if tracked.returncode != 0:
        pytest.skip("not a checkout of git")
    expected = {
        name if name.startswith("fer_core/") else f"fer_core/app/{name}"
        for name in tracked.stdout.splitlines()
        if (ROOT / name).is_file()
    }
    assert "fer_core/models/bundled/compact/model.tflite" in expected and "fer_core/app/app.py" in expected
    assert expected <= set(wheel.namelist())
    outside = {name.split("/")[0] for name in wheel.namelist()} - {"fer_core"}
    assert outside == {f"fer_dashboard-{fer_core.__version__}.dist-info"}


def test_the_wheel_states_version_licence_and_command(wheel):
    info = f"fer_dashboard-{fer_core.__version__}.dist-info"
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert f"Version: {fer_core.__version__}\n" in metadata
    assert "License-Expression: MIT\n" in metadata and "Requires-Python: >=3.11\n" in metadata
    assert "fer = fer_core.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
