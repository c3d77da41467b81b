"""The models that requests can name, each loaded once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fer_core.detection.haar import HaarDetector
from fer_core.models.bundle import CARD_FILE
from fer_core.models.model_store import find_model, folder_of
from fer_core.recognizer import EmotionRecognizer

_MAX_LOADED = 4


class Recognizers:
    """Recognizers by the name of their model, with one face detector for all. Serves any number of threads.

    Args:
        default: name of a model, or path of its folder, for requests that name none.

    Raises:
        ModelError: there is no such model, or its files are missing, cut short or altered.
    """

    def __init__(self, default: str) -> None:
        self._detector = HaarDetector()
        self._load = lru_cache(_MAX_LOADED)(self._read)
        self._default = find_model(default)
        self.default_name = self.get().name

    def get(self, model: str | None = None, label_set: str | None = None) -> EmotionRecognizer:
        """Return the recognizer of a model; one that was replaced under its name is loaded anew.

        Args:
            model: name of one of this machine's models, never a path; the default one if None.
            label_set: what faces are scored for; the model's default if None.

        Raises:
            ModelError: there is no such model, it cannot be read, or it does not answer for this label set.
        """
        folder = self._default if model is None else folder_of(model)
        card = folder / CARD_FILE
        recognizer = self._load(folder, card.stat().st_mtime_ns if card.exists() else 0)
        return recognizer.with_label_set(label_set)

    def _read(self, folder: Path, changed_ns: int) -> EmotionRecognizer:
        return EmotionRecognizer(folder, detector=self._detector)
