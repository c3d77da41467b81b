"""The few values that travel through the package: arrays, checked once at construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]


def corrected_column(label: str) -> str:
    """Return the name of the column with a label's corrected scores."""
    return f"corrected_{label}"


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces found in one image.

    Attributes:
        xyxy: float32 (n, 4), boxes as left, top, right, bottom in pixels of the full image.
        score: float32 (n,), the detector's own score, larger is surer; its range is the detector's.
    """

    xyxy: np.ndarray
    score: np.ndarray

    def __post_init__(self) -> None:
        _require(self.xyxy.ndim == 2 and self.xyxy.shape[1] == 4, f"xyxy must have shape (n, 4), got {self.xyxy.shape}")
        _require(
            self.score.shape == (len(self.xyxy),), f"score must have shape ({len(self.xyxy)},), got {self.score.shape}"
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: slice | Sequence[int] | np.ndarray) -> Detections:
        """Return those in some rows: a slice, indices, or bool (n,)."""
        return Detections(self.xyxy[rows], self.score[rows])

    @classmethod
    def empty(cls) -> Detections:
        """Return detections of no face."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Scores of n faces over k labels.

    Attributes:
        probs: float32 (n, k), rows sum to 1.
        labels: the k names, in the order of the columns.
    """

    probs: np.ndarray
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        _require(
            self.probs.ndim == 2 and self.probs.shape[1] == len(self.labels),
            f"probs must have shape (n, {len(self.labels)}), got {self.probs.shape}",
        )

    def __len__(self) -> int:
        return len(self.probs)

    @property
    def top(self) -> list[str]:
        """The best label of each face."""
        return [self.labels[i] for i in self.probs.argmax(axis=1)]


@dataclass(frozen=True, slots=True, eq=False)
class FaceQuality:
    """How well n faces can be seen, as `fer_core.recognition.quality` measures it.

    Attributes:
        size_px: float32 (n,), side of the box in pixels of the picture.
        sharpness: float32 (n,), strength of edges at the network's resolution relative to contrast, 0 or more; faces of
            photos have 0.4 to 1.2.
        brightness: float32 (n,), mean of the pixels, 0 (black) to 1 (white).
        problems: of each face, why its scores should not be used, such as ("blurred", "dark"); empty if it is valid.
    """

    size_px: np.ndarray
    sharpness: np.ndarray
    brightness: np.ndarray
    problems: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.problems)


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """What was found in one image or one frame of a stream.

    Attributes:
        index: number of the frame in its stream, from 0.
        time_s: media time of the frame in seconds.
        size_wh: width and height of the frame in pixels.
        detections: the n faces.
        prediction: their scores, (n, k).
        track_id: int64 (n,), the same number for the same face from frame to frame.
        quality: how well the faces can be seen; None if it was not measured.
        shown: column of the label to show for each face, None for an uncertain one, where a stream holds labels
            against flicker; None where the best one is shown.
        second: scores for a second label set, (n, k), where that was asked for.
        corrected: float32 (n, k), the scores relative to each face's neutral baseline, a row of NaN for a face without
            one; None where no face has one.
        unsmoothed: float32 (n, k), the scores of this frame alone, before they were smoothed over time; None where
            they were not.
    """

    index: int
    time_s: float
    size_wh: tuple[int, int]
    detections: Detections
    prediction: Prediction
    track_id: np.ndarray
    quality: FaceQuality | None = None
    shown: tuple[int | None, ...] | None = None
    second: Prediction | None = None
    corrected: np.ndarray | None = None
    unsmoothed: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.detections)
        _require(len(self.prediction) == n, f"expected {n} predictions, got {len(self.prediction)}")
        _require(self.track_id.shape == (n,), f"track_id must have shape ({n},), got {self.track_id.shape}")
        if self.quality is not None:
            _require(len(self.quality) == n, f"expected the quality of {n} faces, got {len(self.quality)}")
        _require(self.shown is None or len(self.shown) == n, f"expected {n} labels to show, got {self.shown}")
        _require(self.second is None or len(self.second) == n, f"expected {n} second predictions, got {self.second}")
        shape = self.prediction.probs.shape
        for name, scores in (("corrected", self.corrected), ("unsmoothed", self.unsmoothed)):
            _require(scores is None or scores.shape == shape, f"{name} must have shape {shape}, got {scores}")

    def __len__(self) -> int:
        return len(self.detections)

    def labels_to_show(self, uncertain_below: float = 0.0) -> list[int | None]:
        """Return the column of each face's label to show, None for an uncertain face.

        Args:
            uncertain_below: a best score below it is uncertain, 0 to 1; not asked where the stream has decided.
        """
        if self.shown is not None:
            return list(self.shown)
        probs = self.prediction.probs
        return [int(row.argmax()) if row.max() >= uncertain_below else None for row in probs]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values, with `faces` as a list."""
        return {
            "index": self.index,
            "time_s": self.time_s,
            "width": self.size_wh[0],
            "height": self.size_wh[1],
            "faces": [self._face(i) for i in range(len(self))],
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a face.

        Its number from 1, left, top, right, bottom in pixels, its quality if that was measured, expression, scores by
        label, and corrected scores if a face has them.
        """
        import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

        left, top, right, bottom = self.detections.xyxy.T
        columns = {"face": self.track_id + 1, "left": left, "top": top, "right": right, "bottom": bottom}
        scores = dict(zip(self.prediction.labels, self.prediction.probs.T, strict=True))
        scores |= self.corrected_columns()
        return pd.DataFrame({**columns, **self.quality_columns(), "expression": self.prediction.top, **scores})

    def _face(self, i: int) -> dict[str, Any]:
        xyxy, probs = self.detections.xyxy[i], self.prediction.probs[i]
        return {
            "face": int(self.track_id[i]) + 1,
            "box": [round(float(value), 1) for value in xyxy],
            **{name: values[i] for name, values in self.quality_columns().items()},
            "expression": self.prediction.top[i],
            "scores": dict(zip(self.prediction.labels, map(float, probs), strict=True)),
            **self._corrected(i),
        }

    def _corrected(self, i: int) -> dict[str, dict[str, float]]:
        if self.corrected is None or np.isnan(self.corrected[i]).any():
            return {}
        return {"corrected": dict(zip(self.prediction.labels, map(float, self.corrected[i]), strict=True))}

    def corrected_columns(self) -> dict[str, list[float | None]]:
        """Return the columns of tables with corrected scores, None for a face without a baseline; none if none has."""
        if self.corrected is None:
            return {}
        columns = [[None if value != value else value for value in column] for column in self.corrected.T.tolist()]
        return dict(zip(map(corrected_column, self.prediction.labels), columns, strict=True))

    def quality_columns(self) -> dict[str, list[Any]]:
        """Return the columns of tables that say how well each face can be seen; none if that was not measured."""
        if (quality := self.quality) is None:
            return {}
        return {
            "face_size_px": [round(float(value), 1) for value in quality.size_px],
            "sharpness": [round(float(value), 3) for value in quality.sharpness],
            "brightness": [round(float(value), 3) for value in quality.brightness],
            "detector_score": self.detections.score.tolist(),
            "valid": [not problems for problems in quality.problems],
            "not_valid_because": [", ".join(problems) for problems in quality.problems],
        }
