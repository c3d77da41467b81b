"""What may be changed while a stream runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from fer_core.errors import SettingsError
from fer_core.recognition.baseline import Baseline
from fer_core.recognition.hysteresis import HysteresisSettings
from fer_core.recognition.tracker import MAX_HOLD_S


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What may be changed while a stream runs.

    Attributes:
        min_face_px: smaller faces are left out; below the detector's own smallest size it has no effect.
        hold_s: how long a face the detector misses may still be shown, 0 to 0.5 seconds.
        smoothing_s: time constant of the scores' exponential filter in seconds; 0 shows raw scores.
        label_set: what faces are scored for, see `fer_core.models.label_sets`; the classifier's own if None.
        second_label_set: scored as well, beside `label_set`, which must be named then; nothing else if None.
        hysteresis: how the labels to show are held against flicker; None shows each frame's best. Scores stay as
            they are.
        baselines: by a face's track number, what `FrameResult.corrected` corrects its scores by.

    Raises:
        SettingsError: if a value is out of its range.
    """

    min_face_px: int = 48
    hold_s: float = MAX_HOLD_S
    smoothing_s: float = 0.4
    label_set: str | None = None
    second_label_set: str | None = None
    hysteresis: HysteresisSettings | None = None
    baselines: Mapping[int, Baseline] = field(default_factory=dict[int, Baseline], hash=False)

    def __post_init__(self) -> None:
        if self.min_face_px < 1:
            raise SettingsError(f"min_face_px must be at least 1, got {self.min_face_px}")
        if not 0.0 <= self.hold_s <= MAX_HOLD_S:
            raise SettingsError(f"hold_s must be 0 to {MAX_HOLD_S} seconds, got {self.hold_s}")
        if not 0.0 <= self.smoothing_s < math.inf:
            raise SettingsError(f"smoothing_s must be 0 seconds or more, got {self.smoothing_s}")
        if self.second_label_set is not None and self.label_set is None:
            raise SettingsError("second_label_set needs label_set to be named too, got None")
