"""How often labels change on a video, by model, label set and smoothing; and how late a real change is shown.

    python -m tests.benchmarks.bench_steadiness VIDEO [MODEL ...] [--faces fer2013]

Each row of the first table is one pass over the video through the line that analyses files. A change is a face whose
label differs from the one in its frame before; the delay is after how long half of a sudden change is seen.

The second table holds labels as the live page does (`HysteresisSettings`). Its delays come from steps: two real test
faces of the data set `--faces`, whose labels the model gives, one after the other in the same place, in 15 frames a
second with noise and a tremor of a pixel; counted are the frames until the second one's label is shown.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from fer_core.data.resolve import open_faces
from fer_core.detection.proposals import Area, Half
from fer_core.models.bundle import DEFAULT_MODEL, bundled_models
from fer_core.recognition.hysteresis import HysteresisSettings
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings
from fer_core.recognition.steadiness import delay_s, measure_steadiness
from fer_core.recognizer import EmotionRecognizer
from fer_core.types import Detections

SMOOTHING_S = (0.0, 0.2, 0.4, 0.8)
FPS = 15
STEPS = 50
STEP_FRAMES = 30
FACE_PX = 96
SCHEMES = {
    "raw": StreamSettings(smoothing_s=0.0),
    "smoothed 0.4 s": StreamSettings(smoothing_s=0.4),
    **{
        f"smoothed {smoothing_s:g} s, held {margin:g} / {hold_s:g} s": StreamSettings(
            smoothing_s=smoothing_s, hysteresis=HysteresisSettings(margin, hold_s)
        )
        for smoothing_s in (0.2, 0.3, 0.4)
        for margin, hold_s in ((0.15, 0.2), (0.2, 0.3))
    },
}


class OneFace:
    """A detector that sees the face where the step shows it."""

    def detect(self, gray: np.ndarray) -> Detections:
        """Return the place of the face."""
        margin = (gray.shape[0] - FACE_PX) / 2
        box = np.array([[margin, margin, margin + FACE_PX, margin + FACE_PX]], np.float32)
        return Detections(box, np.ones(1, np.float32))

    def propose(self, gray: np.ndarray, area: Area | None = None, half: Half = None) -> Detections:
        """Return the place of the face."""
        return self.detect(gray)

    def confirm(self, gray: np.ndarray, places: Detections) -> Detections:
        """Return the places as they are."""
        return places

    def detect_around(self, gray: np.ndarray, xyxy: np.ndarray) -> Detections:
        """Return the place of the face."""
        return self.detect(gray)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("models", nargs="*", default=bundled_models())
    parser.add_argument("--faces", help="data set whose test faces make the steps; without it there is no delay")
    options = parser.parse_args()
    by_smoothing(options.video, options.models)
    by_scheme(options.video, options.faces)


def by_smoothing(video: Path, models: list[str]) -> None:
    """Print changes a minute for each model, label set and smoothing."""
    columns = "".join(f"{f'{delay_s(s):.2f} s late':>14}" for s in SMOOTHING_S)
    print(f"{video.name}: changes of label a minute\n{'model':<18}{'label set':<10}{columns}")
    for name in models:
        recognizer = EmotionRecognizer(name)
        for label_set in recognizer.label_sets:
            settings = [StreamSettings(smoothing_s=smoothing_s, label_set=label_set) for smoothing_s in SMOOTHING_S]
            row = [changes_per_min(recognizer, video, each) for each in settings]
            print(f"{name:<18}{label_set:<10}" + "".join(f"{changes:>14.0f}" for changes in row), flush=True)


def by_scheme(video: Path, faces: str | None) -> None:
    """Print changes a minute and the delay of a step for each way of keeping labels steady, with the default model."""
    recognizer = EmotionRecognizer(DEFAULT_MODEL)
    steps = list(some_steps(recognizer, faces)) if faces else []
    print(f"\n{DEFAULT_MODEL}: changes a minute, and frames at {FPS} a second until a step is shown (p90), seconds")
    for name, settings in SCHEMES.items():
        delays = [step_delay(recognizer, settings, first, second, label) for first, second, label in steps]
        late = ""
        if delays:
            late = f"{np.median(delays):8.0f} ({np.percentile(delays, 90):.0f}){np.median(delays) / FPS:8.2f}"
        print(f"{name:<34}{changes_per_min(recognizer, video, settings):>6.0f}{late}", flush=True)


def changes_per_min(recognizer: EmotionRecognizer, video: Path, settings: StreamSettings) -> float:
    """Return how often labels change on a video."""
    return measure_steadiness(recognizer.analyze_video(video, settings=settings)).changes_per_min


def some_steps(recognizer: EmotionRecognizer, data: str) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Yield pairs of test faces of different labels that the model gives them, and the second one's label."""
    faces = open_faces(data)
    rng = np.random.default_rng(0)
    rows = rng.permutation(faces.rows_of("PrivateTest"))[:1000]
    given = recognizer.classify(faces.images[rows]).argmax(axis=1)
    right = np.flatnonzero(given == faces.labels[rows])
    pairs = (pair for pair in itertools.pairwise(right) if given[pair[0]] != given[pair[1]])
    for i, j in itertools.islice(pairs, STEPS):
        yield faces.images[rows[i]], faces.images[rows[j]], int(given[j])


def step_delay(
    recognizer: EmotionRecognizer, settings: StreamSettings, first: np.ndarray, second: np.ndarray, label: int
) -> int:
    """Return the frames after the first of the second face until its label is shown."""
    rng = np.random.default_rng(1)
    stream = StreamAnalyzer(OneFace(), recognizer, settings)
    for index in range(2 * STEP_FRAMES):
        frame = trembling(first if index < STEP_FRAMES else second, rng)
        result = stream.process(frame, index / FPS)
        if index >= STEP_FRAMES and result.labels_to_show() == [label]:
            return index - STEP_FRAMES
    return STEP_FRAMES


def trembling(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a gray frame with the face in its middle, moved by up to a pixel, with noise."""
    image = np.full((240, 240), 128, np.uint8)
    left, top = (240 - FACE_PX) // 2 + rng.integers(-1, 2, 2)
    image[top : top + FACE_PX, left : left + FACE_PX] = cv2.resize(face, (FACE_PX, FACE_PX))
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
