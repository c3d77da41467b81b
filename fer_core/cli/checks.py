"""What `fer doctor` looks at. Each check says what it found and, if something is wrong, what to do."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import fer_core
from fer_core.dependencies import require_service, training_unavailable
from fer_core.errors import DependencyError, FerError, SettingsError
from fer_core.settings import Settings, home_folder

_PACKAGES = ("streamlit", "streamlit-webrtc", "opencv-python-headless", "numpy", "pandas", "plotly")
_PORT = 8501
_LOW_DISK_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        ok: whether all is well with it.
        result: what was found, in one line.
        remedy: what to do; empty if nothing needs to be done.
    """

    name: str
    ok: bool
    result: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def check_all() -> list[Check]:
    """Look at everything that the app needs. Nothing is changed and nothing outside this machine is contacted."""
    return [
        _check_python(),
        *map(_check_package, _PACKAGES),
        _check_training(),
        _check_service(),
        _check_faces(),
        *_check_models(),
        _check_data(),
        _check_home(),
        _check_port(),
        _check_connection(),
    ]


def _check_python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, fer {fer_core.__version__}"
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("Python", ok, found, "" if ok else "Install Python 3.11, 3.12 or 3.13 and make a new environment.")


def _check_package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed", "Run: pip install -r requirements.txt")


def _check_training() -> Check:
    """Training is an extra: without it everything else works."""
    if message := training_unavailable("Training"):
        return Check("training", True, "not available", message)
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    return Check("training", True, f"Keras {version('keras')} on {backend} {version(backend)}")


def _check_service() -> Check:
    """The service is an extra too."""
    try:
        require_service()
    except DependencyError as error:
        return Check("service", True, "not available", str(error))
    return Check("service", True, f"FastAPI {version('fastapi')} on uvicorn {version('uvicorn')}")


def _check_faces() -> Check:
    from fer_core.detection.haar import HaarDetector

    try:
        HaarDetector()
    except FerError as error:
        return Check("face detector", False, "cannot be loaded", str(error))
    return Check("face detector", True, "OpenCV's Haar cascades")


def _check_models() -> list[Check]:
    from fer_core.models.bundle import load_bundle
    from fer_core.models.model_store import folder_of, list_models

    checks: list[Check] = []
    for entry in list_models():
        name = f"model {entry.name}"
        try:
            load_bundle(folder_of(entry.name))
        except FerError as error:
            remedy = "Install the package again." if entry.bundled else f"Run: fer models remove {entry.name}"
            checks.append(Check(name, False, str(error), remedy))
        else:
            checks.append(Check(name, True, entry.description + (", in use" if entry.in_use else "")))
    return checks


def _check_data() -> Check:
    from fer_core.data.store import list_stores

    stores = list_stores()
    if broken := [store for store in stores if store.problem]:
        return Check("data sets", False, broken[0].problem, "Delete it on the data set page and add it again.")
    if stores:
        return Check("data sets", True, ", ".join(store.name for store in stores))
    return Check("data sets", True, "none yet", "Add one on the data set page, or train on the drawn demo set.")


def _check_home() -> Check:
    folder = home_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    found = f"{folder}, {free_gb:.0f} GB free"
    if not os.access(existing, os.W_OK):
        return Check("folder", False, f"{found}, not writable", "Set FER_HOME to a folder that may be written.")
    ok = free_gb >= _LOW_DISK_GB
    return Check("folder", ok, found, "" if ok else "Free some space, or set FER_HOME to a folder on another disk.")


def _check_port() -> Check:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        used = probe.connect_ex(("127.0.0.1", _PORT)) == 0
    if used:
        remedy = f"If that is not the dashboard, start it on another port: fer app --port {_PORT + 1}"
        return Check("port", True, f"something answers on {_PORT}", remedy)
    return Check("port", True, f"{_PORT} is free")


def _check_connection() -> Check:
    """A browser's camera: what can be said of it from here."""
    try:
        servers = Settings.from_env().ice_servers
    except SettingsError as error:
        return Check("camera", False, "FER_ICE_SERVERS cannot be used", str(error))
    if servers:
        return Check("camera", True, f"{len(servers)} STUN or TURN servers for browsers on other networks")
    return Check(
        "camera",
        True,
        "for browsers on this machine",
        "A browser gives its camera only to localhost or HTTPS; browsers on other networks also need FER_ICE_SERVERS.",
    )
