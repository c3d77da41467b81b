"""How fast a face and a whole frame are, as ratios against the usual ways, all in one run.

    python -m tests.benchmarks.bench_live VIDEO [--model compact] [--frames 110] [--rounds 7]

VIDEO is any clip with a face. Rivals: Keras's `model.predict` of the original network, which has
half of `compact`'s multiplications; the display loop of the original script (cascade 1.3 / 5 on
the full frame, resize, that `model.predict` for each face); and PyPI's `fer` in Haar mode, if it
can be imported. They run in a process of their own, since the app never loads TensorFlow, whose
threads would disturb it. Rounds of all contestants are interleaved, so that the machine's drift
meets all alike; the figures are medians over the rounds. Frames of the first second, in which faces become known, are
left out.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import numpy as np

from fer_core.annotate import annotate
from fer_core.models.bundle import DEFAULT_MODEL
from fer_core.recognizer import EmotionRecognizer

SIZE_WH, FPS = (640, 480), 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="bundled model (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=110, help="frames a round")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as the app does, whose streams share the cores; rivals keep theirs
    frames = read_frames(options.video, options.frames)
    recognizer = EmotionRecognizer(options.model)
    faces = some_faces(4)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:

        def rival(call: Callable[..., Any], *arguments: object) -> Callable[[], Any]:
            return lambda: other.submit(call, *arguments).result()

        for count in (1, 4):
            compare(
                f"{count} face(s), ms a call",
                options.rounds,
                {
                    "ours": lambda count=count: repeat(lambda: recognizer.classify(faces[:count]), 20),
                    "model.predict": rival(predict, count),
                },
            )
        compare(
            "one face, ms, against four in one batch",
            options.rounds,
            {
                "ours": lambda: repeat(lambda: recognizer.classify(faces[:1]), 20),
                "four": lambda: repeat(lambda: recognizer.classify(faces), 20),
            },
        )
        contestants = {
            "ours": lambda: our_frames(recognizer, frames),
            "original loop": rival(original_frames, options.video, options.frames),
        }
        if other.submit(has_fer).result():
            contestants["fer (Haar)"] = rival(fer_frames, options.video, options.frames)
        compare_frames(options.rounds, contestants)


def interleaved(rounds: int, contestants: dict[str, Callable[[], Any]]) -> dict[str, np.ndarray]:
    """Run all contestants in turn, `rounds` times after a warm-up, and return what they took, a row a round."""
    taken: dict[str, list[Any]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            seconds = run()
            if number:
                taken[name].append(seconds)
    return {name: np.array(values) for name, values in taken.items()}


def compare(title: str, rounds: int, contestants: dict[str, Callable[[], float]]) -> None:
    """Print the contestants' medians and ratios."""
    seconds = interleaved(rounds, contestants)
    print(f"\n{title}")
    for name, values in seconds.items():
        ratio = np.median(values / seconds["ours"])
        print(f"  {name:15} {1000 * np.median(values):8.2f}   {ratio:6.1f} x ours")


def compare_frames(rounds: int, contestants: dict[str, Callable[[], np.ndarray]]) -> None:
    """Print the median, the mean and the 95th percentile of the contestants' frames, and their ratios."""
    figures = {
        name: np.array([times_of(frames) for frames in values])  # (rounds, 3)
        for name, values in interleaved(rounds, contestants).items()
    }
    print("\nwhole frame, ms            median      mean      p95")
    for name, values in figures.items():
        print(f"  {name:15}" + "".join(f"{1000 * value:10.2f}" for value in np.median(values, axis=0)))
    for name, values in figures.items():
        print(f"  {name:15}" + "".join(f"{value:8.1f} x" for value in np.median(values / figures["ours"], axis=0)))


def times_of(frames: np.ndarray) -> tuple[float, float, float]:
    return float(np.median(frames)), float(np.mean(frames)), float(np.percentile(frames, 95))


def some_faces(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)


def repeat(call: Callable[[], object], times: int) -> float:
    """Return the seconds of one call, averaged over `times`."""
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times


def each(frames: list[np.ndarray], call: Callable[[np.ndarray], object]) -> np.ndarray:
    """Return the seconds that `call` takes for each frame but the first second's, in which faces become known."""
    return np.array([repeat(lambda frame=frame: call(frame), 1) for frame in frames])[FPS:]


def our_frames(recognizer: EmotionRecognizer, frames: list[np.ndarray]) -> np.ndarray:
    """Detect, track, classify, smooth and draw, as the live page does."""
    stream, clock = recognizer.stream(), iter(np.arange(len(frames)) / FPS)
    return each(frames, lambda frame: annotate(frame, stream.process(frame, float(next(clock)))))


@lru_cache
def original_network() -> object:
    from fer_core.models.registry import build

    return build("seed-cnn")


def predict(count: int) -> float:
    """Return the seconds of a `model.predict` of so many faces."""
    model, batch = original_network(), some_faces(count)[..., None]
    return repeat(lambda: model.predict(batch, verbose=0), 3)


def original_frames(video: Path, count: int) -> np.ndarray:
    """Do what the original script's display loop does with a frame, short of showing it."""
    model = original_network()
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def show(frame: np.ndarray) -> None:
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        for x, y, w, h in cascade.detectMultiScale(gray, scaleFactor=1.3, minNeighbors=5):
            cv2.rectangle(frame, (x, y - 50), (x + w, y + h + 10), (255, 0, 0), 2)
            face = cv2.resize(gray[y : y + h, x : x + w], (48, 48))[None, ..., None]
            best = int(np.argmax(model.predict(face, verbose=0)))
            cv2.putText(frame, str(best), (x + 20, y - 60), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)

    return each(read_frames(video, count), show)


def has_fer() -> bool:
    """Return whether PyPI's `fer` can be imported."""
    try:
        from fer.fer import FER  # noqa: F401
    except ImportError as error:
        print(f"fer is left out: {error}")
        return False
    return True


@lru_cache
def fer_detector() -> object:
    from fer.fer import FER

    return FER()


def fer_frames(video: Path, count: int) -> np.ndarray:
    """Let PyPI's `fer` detect, in its default Haar mode."""
    return each(read_frames(video, count), fer_detector().detect_emotions)


def read_frames(video: Path, count: int) -> list[np.ndarray]:
    """Return the first `count` frames at 640×480."""
    capture, frames = cv2.VideoCapture(str(video)), []
    while len(frames) < count and (read := capture.read())[0]:
        frames.append(cv2.resize(read[1], SIZE_WH))
    if not frames:
        raise SystemExit(f"{video} has no frame that OpenCV can read.")
    return frames


if __name__ == "__main__":
    main()
