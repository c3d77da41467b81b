"""A model in the form the app uses: a folder with `model.tflite` and `card.json`.

The bundled models lie in `fer_core/models/bundled`, each in a folder of its name. Whatever is
missing, cut short or altered is an error: there is no model to fall back to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import ModelError
from fer_core.files import sha256_of
from fer_core.models.card import ModelCard
from fer_core.models.label_sets import SCORES

BUNDLED_ROOT = Path(__file__).parent / "bundled"
DEFAULT_MODEL = "people"
MODEL_FILE = "model.tflite"
CARD_FILE = "card.json"
# The same network for Keras, beside a run and where a model is exported to it.
KERAS_FILE = "model.keras"
# Not every model has it; the app itself never reads it.
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A network and its card, checked against each other.

    Attributes:
        card: what the network is.
        content: the LiteRT file.
    """

    card: ModelCard
    content: bytes


def scores_key(card: ModelCard, label_set: str | None = None) -> str:
    """Return 16 letters and digits that identify a model's scores: its network, its labels' order, its label set.

    Args:
        card: of the model.
        label_set: whose scores; the default one's if None.

    Raises:
        ModelError: the model does not answer for this label set.
    """
    parts = [card.files[MODEL_FILE], *card.labels]
    if (output := card.output_of(label_set)) != SCORES:
        parts.append(output)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def bundled_models(root: Path = BUNDLED_ROOT) -> tuple[str, ...]:
    """Return the names of the models that come with the package."""
    return tuple(sorted(path.parent.name for path in root.glob(f"*/{CARD_FILE}")))


def load_bundle(model: str | Path = DEFAULT_MODEL) -> Bundle:
    """Load a model by the name of a bundled one or by the path of a folder.

    Raises:
        ModelError: there is no such model, or its files are missing, cut short or altered.
    """
    folder = BUNDLED_ROOT / model if isinstance(model, str) and model in bundled_models() else Path(model)
    if not folder.is_dir():
        raise ModelError(
            f"No model is named {str(model)!r}. Bundled: {', '.join(bundled_models()) or 'none'}; "
            "or give the path of a folder with model.tflite and card.json."
        )
    card = ModelCard.load(folder / CARD_FILE)
    path = folder / MODEL_FILE
    if not path.is_file():
        raise ModelError(f"{path} is missing. Expected the network beside its card; install the package again.")
    expected = card.files.get(MODEL_FILE)
    if (sha256 := sha256_of(path)) != expected:
        raise ModelError(
            f"{path} is not the file its card describes: expected SHA-256 {expected}, "
            f"found {sha256}. It was cut short or altered; install the package again."
        )
    return Bundle(card, path.read_bytes())
