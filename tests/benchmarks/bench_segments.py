"""What the boundaries of segments cost: a video by segments against the same undivided.

    python -m tests.benchmarks.bench_segments VIDEO [--seconds 40] [--segments 5 60] [--later 1 3]

Where the detector looks depends on when a stream began, so that any change of that moves boxes by a little and scores
with them. To tell boundaries from this, the video is also analysed from one frame and from three frames later on.
Faces are compared by their place, whatever their numbers.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from fer_core.imaging.video import open_video
from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import FrameResult

_SETTINGS = StreamSettings(smoothing_s=0.4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--segments", type=float, nargs="+", default=[5.0, 60.0])
    parser.add_argument("--later", type=int, nargs="*", default=[1, 3])
    options = parser.parse_args()
    recognizer = EmotionRecognizer()

    def analyze(segment_s: float, start_s: float = 0.0) -> dict[int, FrameResult]:
        with (
            open_video(options.video) as video,
            closing(recognizer.follow(video, 0.0, _SETTINGS, start_s, options.seconds, segment_s)) as frames,
        ):
            return {result.index: result for _, result in frames}

    undivided = analyze(math.inf)
    times = [result.time_s for result in undivided.values()]
    for frames in options.later:
        print(f"{frames} frames later: {compared(undivided, analyze(math.inf, times[frames]))}", flush=True)
    for segment_s in options.segments:
        print(f"segments of {segment_s:g} s: {compared(undivided, analyze(segment_s))}", flush=True)


def compared(one: Mapping[int, FrameResult], other: Mapping[int, FrameResult]) -> str:
    frames = sorted(one.keys() & other.keys())
    counts = sum(len(one[i]) != len(other[i]) for i in frames)
    pairs = [pair for i in frames for pair in same_faces(one[i], other[i])]
    first, second = (np.array(scores) for scores in zip(*pairs, strict=True))
    return (
        f"{numbers(one)} and {numbers(other)} numbers of faces, another count in {counts / len(frames):.1%} of "
        f"{len(frames):,} frames, another best expression for {(first.argmax(1) != second.argmax(1)).mean():.1%} of "
        f"{len(pairs):,} faces, scores that differ by {np.abs(first - second).max(axis=1).mean():.3f} on average"
    )


def same_faces(one: FrameResult, other: FrameResult) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the scores of faces that are in the same place in both."""
    pairs = []
    for xyxy, probs in zip(one.detections.xyxy, one.prediction.probs, strict=True):
        apart = np.abs(other.detections.xyxy - xyxy).max(axis=1)
        if len(apart) and apart.min() < 0.3 * (xyxy[2] - xyxy[0]):
            pairs.append((probs, other.prediction.probs[int(apart.argmin())]))
    return pairs


def numbers(results: Mapping[int, FrameResult]) -> int:
    return len({track_id for result in results.values() for track_id in result.track_id.tolist()})


if __name__ == "__main__":
    main()
