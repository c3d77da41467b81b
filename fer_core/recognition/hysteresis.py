"""Holding the label that is shown against scores that waver, so that it does not flicker at a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class HysteresisSettings:
    """When the label shown for a face changes: at once if another leads clearly, else when it has led for a while.

    Attributes:
        margin: lead in score from which another label takes over at once, 0 to 1.
        hold_s: seconds after which a label that leads by less takes over.
        uncertain_below: best score below which a face is called uncertain, 0 to 1; it is held in the same way.

    Raises:
        SettingsError: if a value is out of its range.
    """

    margin: float = 0.2
    hold_s: float = 0.3
    uncertain_below: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.margin <= 1.0 and 0.0 <= self.uncertain_below <= 1.0):
            raise SettingsError(
                f"margin and uncertain_below must be 0 to 1, got {self.margin} and {self.uncertain_below}"
            )
        if not 0.0 <= self.hold_s <= 5.0:
            raise SettingsError(f"hold_s must be 0 to 5 seconds, got {self.hold_s}")


@dataclass(frozen=True, slots=True)
class _Shown:
    """The label shown, the one that would take its place and since when, and when the face was last seen."""

    label: int | None
    rival: int | None
    since_s: float
    seen_s: float


class LabelHysteresis:
    """Chooses the label shown for each face of a stream. Not thread-safe.

    Args:
        forget_s: seconds out of sight after which a face begins anew.
    """

    def __init__(self, forget_s: float = 0.5) -> None:
        self._forget_s = forget_s
        self._faces: dict[int, _Shown] = {}

    def reset(self) -> None:
        """Forget all faces."""
        self._faces = {}

    def update(
        self, track_ids: list[int], probs: np.ndarray, time_s: float, settings: HysteresisSettings
    ) -> list[int | None]:
        """Take in a frame's scores.

        Args:
            track_ids: number of each of the n faces.
            probs: float (n, k), their scores.
            time_s: when, in seconds; not before the frame before.
            settings: when a label changes.

        Returns:
            The column of each face's label; None where it is uncertain.
        """
        self._faces = {i: face for i, face in self._faces.items() if time_s - face.seen_s <= self._forget_s}
        for track_id, scores in zip(track_ids, probs, strict=True):
            self._faces[track_id] = _next(self._faces.get(track_id), scores, time_s, settings)
        return [self._faces[track_id].label for track_id in track_ids]


def _next(before: _Shown | None, scores: np.ndarray, time_s: float, settings: HysteresisSettings) -> _Shown:
    best: int | None = int(scores.argmax())
    if scores[best] < settings.uncertain_below:
        best = None
    if before is None or best == before.label:
        return _Shown(best, best, time_s, time_s)
    since_s = before.since_s if best == before.rival else time_s
    leads = _lead(best, before.label, scores, settings.uncertain_below) >= settings.margin
    if leads or time_s - since_s >= settings.hold_s:
        return _Shown(best, best, time_s, time_s)
    return _Shown(before.label, best, since_s, time_s)


def _lead(best: int | None, shown: int | None, scores: np.ndarray, uncertain_below: float) -> float:
    """Return by how much the best label, or being uncertain, leads what is shown."""
    if best is None or shown is None:
        return abs(float(scores.max()) - uncertain_below)
    return float(scores[best] - scores[shown])
