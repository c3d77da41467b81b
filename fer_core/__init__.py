"""Facial expression recognition: data, training, evaluation and live analysis.

>>> from fer_core import EmotionRecognizer
>>> result = EmotionRecognizer().analyze(image_bgr)  # uint8 (h, w, 3)
>>> result.detections.xyxy, result.prediction.probs  # (n, 4) in pixels, (n, 7)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_core.charts.results import plot
    from fer_core.emotions import LABELS
    from fer_core.errors import FerError
    from fer_core.recognizer import EmotionRecognizer
    from fer_core.types import Detections, FrameResult, Prediction

__version__ = "0.1.0"

# Where each name is defined; it is imported when it is first asked for, so that `import fer_core` stays light.
_MODULES = {
    "LABELS": "fer_core.emotions",
    "Detections": "fer_core.types",
    "EmotionRecognizer": "fer_core.recognizer",
    "FerError": "fer_core.errors",
    "FrameResult": "fer_core.types",
    "Prediction": "fer_core.types",
    "plot": "fer_core.charts.results",
}
__all__ = ["LABELS", "Detections", "EmotionRecognizer", "FerError", "FrameResult", "Prediction", "__version__", "plot"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
