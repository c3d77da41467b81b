"""The models of this machine: those that come with the package, and those that its user put live or imported.

A user's models lie in `models` in the folder of everything that outlives the server, each in a
folder of its name; `default.json` beside them names the one that the pages use, and the one before.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.files import NAME_PATTERN, read_json, write_json
from fer_core.models.bundle import (
    BUNDLED_ROOT,
    CARD_FILE,
    DEFAULT_MODEL,
    MODEL_FILE,
    bundled_models,
    load_bundle,
)
from fer_core.models.card import ModelCard
from fer_core.settings import home_folder

_CHOICE = "default.json"


def models_root() -> Path:
    """Return the folder of the user's own models."""
    return home_folder() / "models"


def available_models() -> tuple[str, ...]:
    """Return the names of all models: the bundled ones, then the user's own."""
    own = sorted(path.parent.name for path in models_root().glob(f"*/{CARD_FILE}") if path.parent.name[0] != ".")
    return (*bundled_models(), *(name for name in own if name not in bundled_models()))


@dataclass(frozen=True)
class ModelEntry:
    """A model of this machine.

    Attributes:
        name: what it is called.
        bundled: whether it comes with the package.
        in_use: whether pages and commands use it.
        card: of the model; None if it cannot be read.
        error: why, if it cannot be read.
    """

    name: str
    bundled: bool
    in_use: bool
    card: ModelCard | None
    error: str = ""

    @property
    def description(self) -> str:
        """What it is, in one line."""
        if self.card is None:
            return f"cannot be read: {self.error}"
        origin = "comes with the package" if self.bundled else "your own"
        return f"{self.card.architecture}, {self.card.parameters / 1e6:.2f} M parameters, {origin}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        card = self.card
        return {
            "name": self.name,
            "bundled": self.bundled,
            "in_use": self.in_use,
            "architecture": card.architecture if card else None,
            "parameters": card.parameters if card else None,
            "labels": list(card.labels) if card else None,
            "label_sets": list(card.label_sets) if card else None,
            "error": self.error,
        }


def list_models() -> list[ModelEntry]:
    """Return all models: the bundled ones, then the user's own; one that cannot be read says why."""
    chosen, bundled = chosen_model(), bundled_models()
    entries: list[ModelEntry] = []
    for name in available_models():
        card, error = None, ""
        try:
            card = ModelCard.load(folder_of(name) / CARD_FILE)
        except ModelError as problem:
            error = str(problem)
        entries.append(ModelEntry(name, name in bundled, name == chosen, card, error))
    return entries


def require_removable(name: str) -> None:
    """Check that a model is one of the user's own.

    Raises:
        ModelError: there is no such model, or it comes with the package.
    """
    folder_of(name)
    if name in bundled_models():
        raise ModelError(f"{name} comes with the package and stays. Choose one of your own models.")


def remove_model(name: str) -> None:
    """Delete one of the user's own models; if it was in use, the one before is again, else the bundled default.

    Raises:
        ModelError: there is no such model, or it comes with the package.
    """
    require_removable(name)
    if chosen_model() == name:
        choose_model(previous_model() or DEFAULT_MODEL)
    with tempfile.TemporaryDirectory(prefix=".removed-", dir=models_root()) as trash:
        folder_of(name).rename(Path(trash) / name)  # gone at once, however long deleting takes


def folder_of(name: str) -> Path:
    """Return the folder of an available model.

    Raises:
        ModelError: there is no such model.
    """
    if name not in available_models():
        raise ModelError(f"No model is named {name!r}. There are: {', '.join(available_models())}.")
    return (BUNDLED_ROOT if name in bundled_models() else models_root()) / name


def find_model(model: str) -> Path:
    """Return the folder of a model that is named by its name or by the path of its folder, there or not."""
    return folder_of(model) if model in available_models() else Path(model)


def folder_with(sha256: str, also: str | None = None) -> Path:
    """Return the folder of a model by the hash of its network.

    Args:
        sha256: of `model.tflite`, as cards name it.
        also: name or folder of a model to look at besides those available.

    Raises:
        ModelError: no model has this network any more.
    """
    names = (*([also] if also else []), *available_models())
    for folder in map(find_model, names):
        try:
            if ModelCard.load(folder / CARD_FILE).files.get(MODEL_FILE) == sha256:
                return folder.resolve()
        except ModelError:
            continue  # a damaged model is not the one that is in use
    raise ModelError("The model was deleted or replaced in between. Reload the page.")


def chosen_model() -> str:
    """Return the model that the pages use: the one put live last or, if that is gone, the bundled default."""
    name = _choice().get("model")
    return name if name in available_models() else DEFAULT_MODEL


def previous_model() -> str | None:
    """Return the model that was used before the chosen one, if there was one and it is still there."""
    name = _choice().get("previous")
    return name if name in available_models() and name != chosen_model() else None


def choose_model(name: str) -> None:
    """Make `name` the model that the pages use.

    Raises:
        ModelError: there is no such model.
    """
    folder_of(name)
    if (before := chosen_model()) != name:
        write_json(models_root() / _CHOICE, {"model": name, "previous": before})


def add_model(folder: Path, name: str) -> str:
    """Copy the model in `folder` to the user's models.

    Args:
        folder: with `model.tflite` and `card.json`.
        name: of the model; a user's model of this name is replaced.

    Returns:
        The name under which it is available: a bundled model keeps its name to itself.

    Raises:
        ModelError: the folder does not hold a whole model, or the name cannot be used.
    """
    check_name(name)
    load_bundle(folder)
    if name in bundled_models():
        name = f"{name}-trained"
    root = models_root()
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=root) as new:
        shutil.copytree(folder, Path(new) / name)
        if (root / name).exists():
            (root / name).rename(Path(new) / "replaced")
        (Path(new) / name).rename(root / name)
    return name


def put_live(folder: Path, name: str) -> str:
    """Add the model in `folder` and choose it.

    A model that came with the package, or another network under this name, keeps it to itself: the new one is then
    called `name-trained`, `name-2` and so on.

    Returns:
        The name under which it is available.

    Raises:
        ModelError: the folder does not hold a whole model, or the name cannot be used.
    """
    content = load_bundle(folder).card.files[MODEL_FILE]
    stem = f"{name}-trained" if name in bundled_models() else name
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    name = add_model(folder, next(name for name in names if _holds(name) in (None, content)))
    choose_model(name)
    return name


def _holds(name: str) -> str | None:
    """Return the hash of the network that a model's card names, None if there is no such model."""
    if name not in available_models():
        return None
    try:
        return ModelCard.load(folder_of(name) / CARD_FILE).files.get(MODEL_FILE, "")
    except ModelError:
        return ""


def check_name(name: str) -> None:
    """Check that a model can have this name.

    Raises:
        ModelError: it cannot: it would not be the name of a plain folder.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise ModelError(
            f"{name!r} cannot name a model. Use 1 to 64 letters, digits, spaces, dots, dashes or "
            "underscores, beginning with a letter or digit."
        )


def free_name(wanted: str) -> str:
    """Turn a file's name into the name of a model that there is not yet.

    >>> free_name("fer (1).keras")
    'fer-1'
    """
    stem = re.sub(r"(\.weights)?\.(keras|h5|hdf5)$", "", wanted, flags=re.IGNORECASE)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("._-")[:60] or "model"
    taken = available_models()
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)


def _choice() -> dict:
    try:
        return read_json(models_root() / _CHOICE)
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
