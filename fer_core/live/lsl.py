"""Scores of a live stream as streams of the Lab Streaming Layer (https://labstreaminglayer.org).

One stream of scores for each of the faces with the lowest numbers, and one of markers. Samples have the time at which
the frame was captured, as well as that is known, on the clock of the Lab Streaming Layer; frames are not analysed at a
fixed rate, so the streams have none. Descriptions follow XDF's conventions (https://github.com/sccn/xdf/wiki).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fer_core.dependencies import INSTALL_LSL, require_package
from fer_core.errors import DependencyError
from fer_core.live.outputs import ScoredFrame, SetMarker, score_rows
from fer_core.recognition.provenance import PROGRAM
from fer_core.sessions.settings_log import RecordedSettings

if TYPE_CHECKING:
    from pylsl import StreamInfo, StreamOutlet

MAX_FACES = 8
SCORES = {"scores": "as shown", "unsmoothed": "of each frame alone", "corrected": "corrected by the neutral baseline"}
_HELD = 6  # times 100 samples wait for whoever reads slowly; of more, the oldest are left out
_SUFFIX = {"point": "", "begin": " (begin)", "end": " (end)"}


@dataclass(frozen=True)
class LslChoice:
    """What is sent.

    Attributes:
        faces: so many streams of scores, 1 to `MAX_FACES`; the first has the face with the lowest number in a frame.
        kind: which scores, a key of `SCORES`.
    """

    faces: int = 1
    kind: str = "scores"


class LslOutput:
    """Streams of the Lab Streaming Layer for one live stream. It is an `Output`.

    They stay when the live stream ends, and go on with the next, so that a program that records them need not begin
    anew; another model begins others.

    Args:
        name: begins the streams' names; letters and digits that tell this live stream from others.
        choice: what is sent.
        settings: the present model; its streams are there at once.
        clock: monotonic seconds, those of the frames.

    Raises:
        DependencyError: pylsl or its library is missing.
    """

    def __init__(
        self,
        name: str,
        choice: LslChoice,
        settings: RecordedSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pylsl = _library()
        self._name, self.choice, self._clock = name, choice, clock
        self._markers: StreamOutlet | None = self._outlet(self._marker_info())
        self._of: Any = None
        self._outlets: tuple[StreamOutlet, ...] = ()
        self.use(settings)

    @property
    def names(self) -> list[str]:
        """The names of the streams."""
        return [*(self._stream_name(number) for number in range(1, self.choice.faces + 1)), f"{self._name}-markers"]

    @property
    def listened_to(self) -> bool:
        """Whether any program reads one of the streams."""
        markers = self._markers
        return any(outlet.have_consumers() for outlet in (*self._outlets, *([markers] if markers else [])))

    def use(self, settings: RecordedSettings) -> None:
        """Begin streams for another model, if it is another; its frames are not sent before."""
        model = settings.model
        if self._markers is None or model == self._of:
            return
        labels = settings.card.labels
        infos = [self._score_info(number, labels, model) for number in range(1, self.choice.faces + 1)]
        self._outlets = ()
        self._of, self._outlets = model, tuple(self._outlet(info) for info in infos)

    def add(self, frame: ScoredFrame) -> None:
        """Send a frame's scores, NaN for faces that are not there."""
        outlets = self._outlets
        if frame.model != self._of:
            return
        rows = score_rows(frame.result, self.choice.kind, self.choice.faces)
        at = self._lsl_time(frame.captured_s)
        for outlet, row in zip(outlets, rows, strict=False):
            outlet.push_sample(row.tolist(), at)

    def mark(self, marker: SetMarker) -> None:
        """Send a marker."""
        if outlet := self._markers:
            outlet.push_sample([marker.marker.label + _SUFFIX[marker.kind]], self._lsl_time(marker.at_s))

    def end_stream(self) -> None:
        """Do nothing: the streams stay."""

    def close(self, reason: str) -> None:
        """End the streams; programs that read them notice."""
        self._outlets, self._markers = (), None

    def _lsl_time(self, at_s: float) -> float:
        return self._pylsl.local_clock() - (self._clock() - at_s)

    def _stream_name(self, number: int) -> str:
        return f"{self._name}-face{number}"

    def _score_info(self, number: int, labels: tuple[str, ...], model: dict[str, Any]) -> StreamInfo:
        channels = [
            *((label, "normalized", "Expression") for label in labels),
            ("face", "number", "Misc"),
            ("valid", "boolean", "Misc"),
        ]
        name = self._stream_name(number)
        source = f"{name} {model['sha256']} {model['label_set']} {self.choice.kind}"
        info = self._info(name, "Expression", len(channels), self._pylsl.cf_float32, source)
        described = info.desc().append_child("channels")
        for label, unit, kind in channels:
            channel = described.append_child("channel")
            for key, value in (("label", label), ("unit", unit), ("type", kind)):
                channel.append_child_value(key, value)
        network = info.desc().append_child("network")
        for key, value in model.items():
            network.append_child_value(key, "" if value is None else str(value))
        info.desc().append_child_value("scores", SCORES[self.choice.kind])
        return info

    def _marker_info(self) -> StreamInfo:
        name = f"{self._name}-markers"
        return self._info(name, "Markers", 1, self._pylsl.cf_string, name)

    def _info(self, name: str, kind: str, channels: int, form: int, source: str) -> StreamInfo:
        info = self._pylsl.StreamInfo(name, kind, channels, self._pylsl.IRREGULAR_RATE, form, source)
        acquisition = info.desc().append_child("acquisition")
        acquisition.append_child_value("manufacturer", "fer_core").append_child_value("model", PROGRAM)
        synchronization = info.desc().append_child("synchronization")
        synchronization.append_child_value("can_drop_samples", "true")
        return info

    def _outlet(self, info: StreamInfo) -> StreamOutlet:
        return self._pylsl.StreamOutlet(info, max_buffered=_HELD)


def lsl_unavailable() -> str:
    """Return why nothing can be sent, with what to do; empty if it can."""
    try:
        _library()
    except DependencyError as error:
        return str(error)
    return ""


def _library() -> Any:
    require_package("pylsl", "The Lab Streaming Layer", INSTALL_LSL)
    try:
        import pylsl
    except (RuntimeError, OSError) as error:  # the package is there, and the library that it calls is not
        raise DependencyError(
            "The Lab Streaming Layer needs liblsl, which pylsl brings for this system not or not in a form that runs "
            "here. Install it (github.com/sccn/liblsl/releases, or conda install -c conda-forge liblsl) and name its "
            "file in PYLSL_LIB."
        ) from error
    return pylsl
