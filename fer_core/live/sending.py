"""Sends what a live stream gives to its outputs, and never lets one of them disturb the stream."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fer_core.errors import FerError
from fer_core.live.capture_clock import CaptureClock
from fer_core.live.outputs import Output, ScoredFrame, SetMarker
from fer_core.sessions.markers import Marker
from fer_core.sessions.recorder import Recorder
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.types import FrameResult

logger = logging.getLogger(__name__)


def _now_utc() -> datetime:
    return datetime.now(UTC)


class Sending:
    """The outputs of one viewer's stream. Frames come from the stream's thread, everything else from any.

    Args:
        clock: monotonic seconds, those of the stream.
        now_utc: the time of day.

    Attributes:
        outputs: what gets frames and markers; replaced, never changed.
        problem: why an output was given up last, as text; empty if none was. Who has shown it may empty it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, now_utc: Callable[[], datetime] = _now_utc) -> None:
        self.outputs: tuple[Output, ...] = ()
        self.problem = ""
        self._clock, self._now_utc = clock, now_utc
        self._capture = CaptureClock()
        self._began_s: float | None = None

    def captured_s(self, came_s: float, media_s: float | None) -> float:
        """Return when a frame was captured; every frame must be asked for, in order. See `CaptureClock`."""
        captured_s = self._capture.captured_s(came_s, media_s)
        if self._began_s is None:
            self._began_s = captured_s
        return captured_s

    def use(self, output: Output) -> None:
        """Send to one more output."""
        self.outputs = (*self.outputs, output)

    def drop(self, output: Output, reason: str) -> None:
        """Send nothing more to an output, which tells its listeners why."""
        self.outputs = tuple(each for each in self.outputs if each is not output)
        output.close(reason)

    def add(
        self,
        result: FrameResult,
        captured_s: float,
        settings: RecordedSettings | None,
        shown_uncertain_below: float,
        recorder: Recorder | None,
    ) -> None:
        """Send a frame.

        Args:
            result: its faces.
            captured_s: what `captured_s` returned for it.
            settings: with which it was analysed.
            shown_uncertain_below: best score below which the page calls a face uncertain.
            recorder: what records it, if anything does.
        """
        if not self.outputs:
            return
        utc, time_s = self._moment(captured_s)
        session = None if recorder is None or recorder.state.ended else recorder.session.name
        model = settings.model if settings else {}
        frame = ScoredFrame(result, captured_s, utc, time_s, model, shown_uncertain_below, session)
        self._give(lambda output: output.add(frame))

    def mark(
        self, label: str, source: str, recorder: Recorder | None, ago_s: float = 0.0, begins_range: bool = False
    ) -> Marker:
        """Put a marker at this moment, or a little before it, into the recording if there is one, and send it.

        Args:
            label: its name.
            source: what made it, such as "button".
            recorder: what records, if anything does.
            ago_s: how long ago it was, seconds.
            begins_range: whether `end_range` will make it a range.
        """
        at_s = self._clock() - ago_s
        if recorder and not recorder.state.ended:
            marker = recorder.mark(label, source, ago_s)
        else:
            marker = Marker(round(max(self._moment(at_s)[1], 0.0), 3), label, source=source)
        self._send_marker(marker, "begin" if begins_range else "point", at_s)
        return marker

    def end_range(self, begun: Marker, recorder: Recorder | None, ago_s: float = 0.0) -> Marker:
        """End a range that `mark` began, at this moment or a little before it."""
        at_s = self._clock() - ago_s
        if recorder and not recorder.state.ended:
            marker = recorder.end_range(begun, ago_s)
        else:
            marker = replace(begun, end_s=round(max(self._moment(at_s)[1], begun.time_s), 3))
        self._send_marker(marker, "end", at_s)
        return marker

    def end_stream(self) -> None:
        """Note that the stream has ended; the next frame begins another."""
        self._capture.reset()
        self._began_s = None
        self._give(lambda output: output.end_stream())

    def close(self, reason: str) -> None:
        """Close all outputs."""
        for output in self.outputs:
            self.drop(output, reason)

    def _moment(self, at_s: float) -> tuple[datetime, float]:
        """Return a monotonic time as a time of day, and in seconds since the stream began, 0 while none runs."""
        now_s, began_s = self._clock(), self._began_s
        return self._now_utc() - timedelta(seconds=now_s - at_s), 0.0 if began_s is None else at_s - began_s

    def _send_marker(self, marker: Marker, kind: str, at_s: float) -> None:
        sent = SetMarker(marker, kind, at_s, *self._moment(at_s))
        self._give(lambda output: output.mark(sent))

    def _give(self, call: Callable[[Output], None]) -> None:
        for output in self.outputs:
            try:
                call(output)
            except Exception as error:  # another program's trouble must not become the stream's
                logger.exception("An output of a live stream is given up.")
                self.problem = str(error) if isinstance(error, FerError) else f"{type(error).__name__}: {error}"
                self.drop(output, "An error occurred on the server.")
