"""One viewer's live stream: camera frames in, annotated frames and a snapshot out.

It knows nothing of Streamlit or WebRTC. The video thread calls `process`; the page reads
`snapshot` and replaces `settings` at any time. Neither waits for the other longer than it takes
to copy a few references.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

import cv2
import numpy as np

from fer_core.annotate import AnnotateOptions, annotate
from fer_core.errors import FerError
from fer_core.live.baselines import BaselineKeeper
from fer_core.live.governor import Governor
from fer_core.live.sending import Sending
from fer_core.live.telemetry import History, Moment, RateMeter, Rates
from fer_core.recognition.pipeline import StreamSettings
from fer_core.sessions.media_time import MediaTime
from fer_core.sessions.recorder import Recorder
from fer_core.sessions.settings_log import RecordedSettings
from fer_core.types import FrameResult

logger = logging.getLogger(__name__)

# A stream that broke off has so long to come back before its recording ends.
COMES_BACK_WITHIN_S = 20.0
# An error stays readable for this long after the last frame that raised it.
ERROR_SHOWN_S = 10.0
# The server counts as busy where a smaller share of a camera's frames is analysed.
_BUSY = 0.75


class Analyzer(Protocol):
    """Turns frames into results: `recognition.pipeline.StreamAnalyzer` or a stand-in."""

    settings: StreamSettings

    def process(self, image_bgr: np.ndarray, time_s: float) -> FrameResult:
        """Analyse one frame, uint8 (h, w, 3)."""
        ...


@dataclass(frozen=True)
class LiveSettings:
    """What a viewer can change while the stream runs.

    Attributes:
        stream: how faces are found, held and smoothed, and what they are scored for.
        draw: what is drawn on the returned frame.
        mirror: whether the picture is flipped left to right, as in a mirror.
        recorded: the same for a recording, which notes what of it changes; None leaves that out.
    """

    stream: StreamSettings = field(default_factory=lambda: StreamSettings(smoothing_s=0.3))
    draw: AnnotateOptions = field(default_factory=AnnotateOptions)
    mirror: bool = True
    recorded: RecordedSettings | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class LiveSnapshot:
    """The state of a stream at one instant.

    Attributes:
        live: whether a stream runs.
        time_s: when the snapshot was taken, seconds on the session's clock.
        rates: how fast it runs.
        result: faces and scores of the last analysed frame, None before the first.
        image_bgr: that frame, mirrored where asked, before anything was drawn on it; read only.
        history: scores of the last minute, oldest first.
        error: what went wrong in the last seconds, as text, or None.
        limited: whether clearly fewer frames are analysed than come, since the server is busy.
    """

    live: bool
    time_s: float
    rates: Rates
    result: FrameResult | None
    image_bgr: np.ndarray | None
    history: tuple[Moment, ...]
    error: str | None
    limited: bool = False


_live: weakref.WeakSet[LiveSession] = weakref.WeakSet()
_live_lock = threading.Lock()


def live_sessions() -> int:
    """Return how many streams run in this process."""
    with _live_lock:
        return len(_live)


class LiveSession:
    """One viewer's stream. A new analyzer is made whenever a stream begins.

    Args:
        new_analyzer: makes the analyzer of one stream from its settings, e.g. `recognizer.stream`.
        settings: what to start with; assign to `settings` to change it while the stream runs.
        clock: monotonic seconds.
        governor: shares the processor between this stream and others; every frame is analysed if None.
        cpu_clock: seconds that the calling thread has had a processor.

    Attributes:
        id: letters and digits that no other session has.
        baselines: makes and keeps neutral baselines of the stream's faces; emptied when a stream begins.
        recorder: gets the faces of each frame, as long as there is one; closed soon after the stream. Assign to it at
            any time.
        sending: gives each frame's scores to other programs that a viewer has asked for.
    """

    def __init__(
        self,
        new_analyzer: Callable[[StreamSettings], Analyzer],
        settings: LiveSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        governor: Governor | None = None,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.id = uuid4().hex
        self.settings = settings or LiveSettings()
        self.baselines = BaselineKeeper()
        self.recorder: Recorder | None = None
        self.sending = Sending(clock)
        self._new_analyzer = new_analyzer
        self._model: object = None
        self._clock = clock
        self._governor, self._cpu_clock = governor, cpu_clock
        self._lock = threading.Lock()
        self._analyzer: Analyzer | None = None
        self._reset()

    def use(
        self, new_analyzer: Callable[[StreamSettings], Analyzer], model: object, settings: LiveSettings | None = None
    ) -> None:
        """Analyse with these settings from the next frame on; another model begins a new stream, but no new recording.

        Both change at once, so that no frame is analysed by one model with the settings for another.

        Args:
            new_analyzer: makes the analyzer of a stream.
            model: identifies the model and what it scores faces for; equal to the one given last if both are the same,
                even if the model was loaded again.
            settings: replace the present ones, unless None.
        """
        if model == self._model:
            self.settings = settings or self.settings
            return
        with self._lock:
            self._new_analyzer, self._model, self.settings = new_analyzer, model, settings or self.settings
            self.baselines.offer(None)  # it was made of another model's scores
            ended = self._end_stream()
        self._log_end(ended)

    def fail(self, error: Exception, delivered: int = 1) -> None:
        """Note that the newest of `delivered` frames could not be analysed."""
        self._note_error(error, delivered)

    def process(
        self,
        image_bgr: np.ndarray,
        delivered: int = 1,
        media: MediaTime | None = None,
        camera_s: float | None = None,
    ) -> np.ndarray:
        """Analyse and annotate the newest frame; the first call begins the stream.

        Where the governor leaves a frame out, it shows what was found in the one before. It never raises: an error is
        noted in the snapshot and the frame returns as it came, so that the viewer's video goes on.

        Args:
            image_bgr: uint8 (h, w, 3).
            delivered: camera frames since the last call, this one included; the older ones were
                dropped unseen.
            media: where the frame is in a clip that is played; None for a camera.
            camera_s: the frame's timestamp, seconds on the camera's clock; None if it has none.

        Returns:
            uint8 (h, w, 3), a new image, at the size of the stream's largest frame; or `image_bgr`
            itself after an error.
        """
        start_s, cpu_start_s = self._clock(), self._cpu_clock()
        captured_s = self.sending.captured_s(start_s, camera_s)
        steady = image_bgr
        try:
            with self._lock:
                settings = self.settings
                analyzer = self._analyzer or self._begin(settings)
            stream = replace(settings.stream, baselines=self.baselines.current)
            if analyzer.settings != stream:
                analyzer.settings = stream
            steady = self._at_known_size(image_bgr)
            plain = cv2.flip(steady, 1) if settings.mirror else steady
            if (before := self._result_if_not_due(plain, start_s, delivered)) is not None:
                drawn = annotate(plain, before, settings.draw)
                self._note_skipped(delivered)
                self._record_picture(steady, delivered)
                return drawn
            result = analyzer.process(plain, self._time_of(media, start_s))
            drawn = annotate(plain, result, settings.draw)
        except Exception as error:
            # The one broad `except`: what is raised here would freeze this viewer's video for good.
            self._note_error(error, delivered)
            self._record_picture(steady, delivered)
            return image_bgr
        self.baselines.add(result)
        if recorder := self.recorder:
            recorder.add(
                result, stream.baselines, settings.recorded, image_bgr=steady, delivered=delivered, media=media
            )
        self.sending.add(result, captured_s, settings.recorded, settings.draw.threshold, recorder)
        self._note_result(result, plain, start_s, delivered)
        if self._governor:
            self._governor.note(self.id, self._cpu_clock() - cpu_start_s, self._clock() - start_s)
        return drawn

    def end(self) -> None:
        """End the stream; calling it again does nothing. The next frame begins a new one.

        A recording goes on with that if it comes within `COMES_BACK_WITHIN_S`; else it ends.
        """
        if recorder := self.recorder:
            recorder.close_unless_resumed(COMES_BACK_WITHIN_S)
        self.sending.end_stream()
        with self._lock:
            ended = self._end_stream()
        self._log_end(ended)

    def snapshot(self) -> LiveSnapshot:
        """Return the present state of the stream."""
        with self._lock:
            now_s = self._clock()
            rates = self._meter.rates(now_s)
            error = self._error if now_s - self._error_s <= ERROR_SHOWN_S else None
            return LiveSnapshot(
                live=self._analyzer is not None,
                time_s=now_s,
                rates=rates,
                result=self._result,
                image_bgr=self._image_bgr,
                history=self._history.moments(),
                error=error,
                limited=error is None and rates.analysed_fps < _BUSY * rates.camera_fps,
            )

    def _time_of(self, media: MediaTime | None, now_s: float) -> float:
        """Return a frame's time: now, or for a clip what has been played of it since the stream began."""
        if media is None:
            return now_s
        if self._media_zero_s is None:
            self._media_zero_s = now_s - media.played_s
        return self._media_zero_s + media.played_s

    def _result_if_not_due(self, plain: np.ndarray, now_s: float, delivered: int) -> FrameResult | None:
        """Return the result of the frame before if this one is not to be analysed, else None."""
        if self._governor is None or self._governor.is_due(self.id, now_s, delivered):
            return None
        before = self._result
        return before if before is not None and before.size_wh == plain.shape[1::-1] else None

    def _record_picture(self, image_bgr: np.ndarray, delivered: int) -> None:
        if recorder := self.recorder:
            recorder.add_picture(image_bgr, delivered)

    def _begin(self, settings: LiveSettings) -> Analyzer:
        """Begin a stream; the lock is held."""
        analyzer = self._new_analyzer(settings.stream)
        self._reset()
        self._analyzer = analyzer
        with _live_lock:
            _live.add(self)
        logger.info("Live stream began; %d running.", live_sessions())
        return analyzer

    def _end_stream(self) -> tuple[float, int, int] | None:
        """Forget the analyzer; the lock is held.

        Returns:
            Seconds since the stream began, frames analysed and frames delivered; None if no stream ran.
        """
        if self._analyzer is None:
            return None
        self._analyzer = None
        if self._governor:
            self._governor.leave(self.id)
        with _live_lock:
            _live.discard(self)
        return self._clock() - self._began_s, self._analysed, self._delivered

    def _log_end(self, ended: tuple[float, int, int] | None) -> None:
        if ended:
            logger.info(
                "Live stream ended after %.1f s, %d of %d camera frames analysed; %d still running.",
                *ended,
                live_sessions(),
            )

    def _at_known_size(self, image_bgr: np.ndarray) -> np.ndarray:
        """Undo a browser's lowering of its resolution, which would part each face from its past."""
        height, width = image_bgr.shape[:2]
        known_wh = self._size_wh or (width, height)
        if width < known_wh[0] and abs(width / height - known_wh[0] / known_wh[1]) < 0.02:
            return cv2.resize(image_bgr, known_wh, interpolation=cv2.INTER_LINEAR)
        self._size_wh = (width, height)
        return image_bgr

    def _reset(self) -> None:
        self._began_s = self._clock()
        self._size_wh: tuple[int, int] | None = None
        self._media_zero_s: float | None = None
        self._delivered = self._analysed = 0
        self._meter = RateMeter(self._began_s)
        self._history = History()
        self.baselines.reset(self._began_s)
        self._result: FrameResult | None = None
        self._image_bgr: np.ndarray | None = None
        self._error: str | None = None
        self._error_s = 0.0

    def _note_skipped(self, delivered: int) -> None:
        with self._lock:
            self._delivered += delivered
            self._meter.add(self._clock(), delivered, None)

    def _note_result(self, result: FrameResult, plain: np.ndarray, start_s: float, delivered: int) -> None:
        with self._lock:
            now_s = self._clock()
            self._delivered += delivered
            self._analysed += 1
            self._meter.add(now_s, delivered, (now_s - start_s) * 1000)
            self._history.add(result, now_s)
            self._result, self._image_bgr = result, plain

    def _note_error(self, error: Exception, delivered: int) -> None:
        message = str(error) if isinstance(error, FerError) else f"{type(error).__name__}: {error}"
        with self._lock:
            now_s = self._clock()
            is_new = message != self._error
            self._delivered += delivered
            self._meter.add(now_s, delivered, None)
            self._error, self._error_s = message, now_s
        if is_new:  # the same error comes with every frame; one traceback is enough
            logger.exception("A live frame could not be analysed.", exc_info=error)
