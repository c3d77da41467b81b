"""Who may import whom: downwards only, and heavy packages only where they belong."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("fer_core/**/*.py")])

# A package may import those on lower levels and itself. fer_core.cli may import anything below ui.
LEVELS = (
    ("emotions", "errors", "files", "face_size", "formats", "legacy", "terminal"),
    ("settings", "types", "dependencies", "html_pages"),
    ("background",),
    ("data", "detection", "imaging", "models", "annotate", "charts"),
    ("cache", "trained_on"),
    ("recognition", "recognizer", "explain"),
    ("audit",),
    ("evaluation",),
    ("media", "service", "training"),
    ("sessions",),
    ("live",),
    ("archive", "experiments"),
    ("cli", "__main__"),
    ("ui",),
)
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
# recognizer is the front door over recognition.
SIDEWAYS = {("recognizer", "recognition"), ("__main__", "cli")}

ONLY_IN = {
    "streamlit": ("app.py", "pages/", "fer_core/ui/"),
    "streamlit_webrtc": ("fer_core/ui/live/webrtc.py",),
    "av": ("fer_core/ui/live/webrtc.py", "fer_core/ui/live/codec.py", "fer_core/imaging/"),
    "tensorflow": (
        "fer_core/models/convert.py",
        "fer_core/models/architectures/normalization.py",
        "fer_core/explain/",
        "fer_core/training/",
    ),
    "keras": ("fer_core/models/", "fer_core/training/"),
    "fastapi": ("fer_core/service/",),
    "uvicorn": ("fer_core/service/",),
    "distributed": ("fer_core/background/cluster.py", "fer_core/archive/cluster.py", "fer_core/training/workers.py"),
    "dask": ("fer_core/background/cluster.py",),
    "dask_jobqueue": ("fer_core/background/batch_cluster.py",),
    "fsspec": ("fer_core/archive/remote.py",),
    "aiohttp": ("fer_core/archive/remote.py",),
    "optuna": ("fer_core/training/sweep/",),
    "sqlalchemy": ("fer_core/sessions/",),
    "alembic": ("fer_core/sessions/",),
    "psycopg": ("fer_core/sessions/",),
    "pylsl": ("fer_core/live/lsl.py",),
    "websockets": ("fer_core/live/websocket.py",),
    "prometheus_client": ("fer_core/service/",),
    "onnx": ("fer_core/models/onnx_export.py",),
    "tf2onnx": ("fer_core/models/onnx_export.py",),
    "onnxruntime": ("fer_core/models/onnx_export.py",),
}


def imports_of(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, at its top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            # `from fer_core import x` names the module x itself.
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "fer_core"}
    return names


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_heavy_packages_stay_where_they_belong(path):
    for name in imports_of(path):
        allowed = ONLY_IN.get(name.split(".")[0])
        assert allowed is None or relative(path).startswith(allowed), f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", [path for path in FILES if relative(path).startswith("fer_core/")], ids=relative)
def test_packages_import_downwards_only(path):
    own = relative(path).removeprefix("fer_core/").removesuffix(".py").split("/")[0]
    if own == "__init__":
        return
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "fer_core" or len(parts) < 2 or parts[1] in (own, "__version__"):
            continue
        other = parts[1]
        assert LEVEL_OF[other] < LEVEL_OF[own] or (own, other) in SIDEWAYS, f"{relative(path)} imports {name}"


PAGE_FOLDERS = ("live", "media", "sessions", "dataset", "training", "evaluate")


@pytest.mark.parametrize("path", sorted(ROOT.glob("fer_core/ui/**/*.py")), ids=relative)
def test_the_folder_of_a_page_imports_no_other_pages_folder(path):
    room = relative(path).removeprefix("fer_core/ui/").split("/")[0]
    others = set(PAGE_FOLDERS) - {room}
    found = {name for name in imports_of(path) if name.startswith("fer_core.ui.") and name.split(".")[2] in others}
    assert not found, f"{relative(path)} imports {', '.join(sorted(found))}; what pages share lives in components"
