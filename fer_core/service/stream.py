"""A client's stream over a WebSocket: frames in as image files, one JSON result for each out.

Faces are followed from frame to frame and their scores smoothed, as on the live page. Every frame gets one answer, in
order; a client that wants no delay sends the next frame when the answer to the last one has come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from fastapi import WebSocket, status
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect

from fer_core.errors import MediaError
from fer_core.imaging.images import decode_image
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.service.limits import Gate, Limits
from fer_core.service.metrics import Metrics
from fer_core.service.schemas import Frame, Problem, frame_fields

_DEFAULTS = StreamSettings()


class StreamOptions(BaseModel):
    """What a stream's address may ask for, as its query."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = None
    label_set: str | None = None
    smoothing_s: float = Field(_DEFAULTS.smoothing_s, ge=0, le=60)
    min_face_px: int = Field(_DEFAULTS.min_face_px, ge=1)
    fps: float | None = Field(None, gt=0, le=1000, description="of a recording; otherwise frames count as they come")


async def serve_stream(
    websocket: WebSocket,
    recognizer: EmotionRecognizer,
    options: StreamOptions,
    gate: Gate,
    metrics: Metrics,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Answer a stream's frames until its client ends it, or is silent for too long.

    Args:
        websocket: not accepted yet.
        recognizer: the model.
        options: of the stream.
        gate: runs the work.
        metrics: counts streams and frames.
        clock: gives the time of frames where `options.fps` does not, in seconds.

    Raises:
        HTTPException: 503, too many streams are open; nothing was accepted.
    """
    with gate.admit_stream(), metrics.streams.track_inprogress(), suppress(WebSocketDisconnect):
        await websocket.accept()
        analyzer = recognizer.stream(StreamSettings(smoothing_s=options.smoothing_s, min_face_px=options.min_face_px))
        began_s, count = clock(), 0
        while (content := await _next_frame(websocket, gate.limits)) is not None:
            time_s = count / options.fps if options.fps else clock() - began_s
            count += 1
            answer = await _answer(gate, recognizer, analyzer, content, count, time_s)
            metrics.frames.inc()
            await websocket.send_text(answer.model_dump_json())


async def _next_frame(websocket: WebSocket, limits: Limits) -> bytes | None:
    """Return the next message, empty if it is text; None if the stream has ended."""
    try:
        async with asyncio.timeout(limits.idle_timeout_s):
            message = await websocket.receive()
    except TimeoutError:
        reason = f"no frame for {limits.idle_timeout_s:g} s"
        await websocket.close(status.WS_1001_GOING_AWAY, reason)
        return None
    if message["type"] == "websocket.disconnect":
        return None
    return message.get("bytes") or b""


async def _answer(
    gate: Gate, recognizer: EmotionRecognizer, analyzer: StreamAnalyzer, content: bytes, count: int, time_s: float
) -> BaseModel:
    def work() -> BaseModel:
        image_bgr = decode_image(content, f"Frame {count}", gate.limits.max_pixels)
        return Frame(**frame_fields(analyzer.process(image_bgr, time_s), recognizer.uncertain_below))

    try:
        return await gate.run(work)
    except MediaError as error:
        return Problem(detail=str(error))
