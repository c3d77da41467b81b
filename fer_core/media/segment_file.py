"""What was found in a segment of a video as a file, exact to the last bit, until all segments are there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.files import atomic_path
from fer_core.media.splitting import FrameCheck, SegmentResult
from fer_core.recognition.segment_join import KnownFaces
from fer_core.types import Detections, FaceQuality, FrameResult, Prediction

SUFFIX = ".npz"
_KNOWN = ("track_id", "xyxy", "seen_s")


def save_segment(result: SegmentResult, path: Path, key: str) -> None:
    """Write what was found in a segment, atomically.

    Args:
        result: of the segment.
        path: file to write, which ends in `SUFFIX`.
        key: what it was made of and how; needed to read it again.
    """
    frames = result.frames
    about = {
        "key": key,
        "error": result.error,
        "labels": frames[0].prediction.labels if frames else [],
        "before": result.before and asdict(result.before),
        "last": result.last and asdict(result.last),
        "head": result.head.index,
        "tail": result.tail.index,
    }
    arrays = {
        "about": np.array(json.dumps(about)),
        **_known_arrays("head", result.head),
        **_known_arrays("tail", result.tail),
        **(_frame_arrays(frames) if frames else {}),
    }
    with atomic_path(path) as partial:
        np.savez(partial, **arrays)


def load_segment(path: Path, key: str) -> SegmentResult | None:
    """Return what was found in a segment; None if the file is not there, is damaged or was made with another key."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            if about["key"] != key:
                return None
            return SegmentResult(
                tuple(_frames(arrays, tuple(about["labels"]))) if "index" in arrays else (),
                _known(arrays, "head", about),
                _known(arrays, "tail", about),
                about["before"] and FrameCheck(**about["before"]),
                about["last"] and FrameCheck(**about["last"]),
                about["error"],
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _known_arrays(prefix: str, known: KnownFaces) -> dict[str, np.ndarray]:
    return {f"{prefix}_{name}": getattr(known, name) for name in _KNOWN}


def _known(arrays: Any, prefix: str, about: dict[str, Any]) -> KnownFaces:
    return KnownFaces(about[prefix], *(arrays[f"{prefix}_{name}"] for name in _KNOWN))


def _frame_arrays(frames: tuple[FrameResult, ...]) -> dict[str, np.ndarray]:
    qualities = [frame.quality for frame in frames if frame.quality is not None]
    assert len(qualities) == len(frames)
    problems = [json.dumps(face) for quality in qualities for face in quality.problems]
    return {
        "index": np.array([frame.index for frame in frames], np.int64),
        "time_s": np.array([frame.time_s for frame in frames], np.float64),
        "size_wh": np.array([frame.size_wh for frame in frames], np.int64),
        "faces": np.array([len(frame) for frame in frames], np.int64),
        "xyxy": np.concatenate([frame.detections.xyxy for frame in frames]),
        "score": np.concatenate([frame.detections.score for frame in frames]),
        "probs": np.concatenate([frame.prediction.probs for frame in frames]),
        "track_id": np.concatenate([frame.track_id for frame in frames]),
        "size_px": np.concatenate([quality.size_px for quality in qualities]),
        "sharpness": np.concatenate([quality.sharpness for quality in qualities]),
        "brightness": np.concatenate([quality.brightness for quality in qualities]),
        "problems": np.array(problems, np.str_),
    }


def _frames(arrays: Any, labels: tuple[str, ...]) -> Iterator[FrameResult]:
    values = {name: arrays[name] for name in arrays.files}
    ends = np.cumsum(values["faces"])
    for i, (end, count) in enumerate(zip(ends, values["faces"], strict=True)):
        own = slice(int(end - count), int(end))
        problems = tuple(tuple(json.loads(str(face))) for face in values["problems"][own])
        quality = FaceQuality(values["size_px"][own], values["sharpness"][own], values["brightness"][own], problems)
        width, height = values["size_wh"][i].tolist()
        yield FrameResult(
            int(values["index"][i]),
            float(values["time_s"][i]),
            (width, height),
            Detections(values["xyxy"][own], values["score"][own]),
            Prediction(values["probs"][own], labels),
            values["track_id"][own],
            quality,
        )
