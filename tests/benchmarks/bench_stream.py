"""What one viewer's frames cost: processor time to analyse and draw a second of video, and what is seen meanwhile.

    python -m tests.benchmarks.bench_stream VIDEO [--against CHECKOUT] [--rounds 3]

VIDEO is a clip with one face that lasts. Its frames at 640×480, 15 a second, go back and forth three times through
`LiveSession.process` as on the live page, but as fast as they can be worked off; the codec, the network and the panels
are left out. With `--against`, another checkout of this project is measured in turn, so that the machine's drift meets
both alike.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

SIZE_WH = (640, 480)
FPS = 15
PASSES = 3
ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--against", type=Path, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", action="store_true", help="measure this checkout once and print it as JSON")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(measure(options.video)))
        return
    checkouts = {"this": ROOT} | ({"other": options.against.resolve()} if options.against else {})
    video = options.video.resolve()
    rounds = [{name: run(path, video) for name, path in checkouts.items()} for _ in range(options.rounds)]
    for name in checkouts:
        median = {key: float(np.median([each[name][key] for each in rounds])) for key in rounds[0][name]}
        print(
            f"{name:6} {median['cpu_s']:.3f} s of processor a second of video, a frame {median['ms']:.1f} ms "
            f"(p95 {median['p95_ms']:.1f}), one face in {median['one_face']:.1%} of frames"
        )


def run(checkout: Path, video: Path) -> dict[str, float]:
    """Measure a checkout in a process of its own."""
    command = [sys.executable, __file__, str(video), "--once"]
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(video: Path) -> dict[str, float]:
    """Return processor seconds a second of video, median and p95 of a frame in ms, and the share with one face."""
    import fer_core.ui.live.webrtc  # noqa: F401  # sets the threads of OpenCV
    from fer_core.live.session import LiveSession

    frames, now_s = read_frames(video), [0.0]
    session = LiveSession(_live_recognizer().stream, clock=lambda: now_s[0])
    taken_ms, one_face, began_s = [], 0, 0.0
    for number, frame in enumerate([*frames[:FPS], *frames]):  # a second to warm up
        if number == FPS:
            taken_ms, one_face, began_s = [], 0, time.process_time()
        now_s[0] = number / FPS
        start_s = time.perf_counter()
        session.process(frame)
        taken_ms.append(1000 * (time.perf_counter() - start_s))
        one_face += len(session.snapshot().result or ()) == 1
    cpu_s = time.process_time() - began_s
    return {
        "cpu_s": cpu_s * FPS / len(frames),
        "ms": float(np.median(taken_ms)),
        "p95_ms": float(np.percentile(taken_ms, 95)),
        "one_face": one_face / len(frames),
    }


def _live_recognizer():
    """Return the recognizer as the live page loads it; older checkouts give it two threads."""
    from fer_core.recognizer import EmotionRecognizer

    has_threads = "threads" in inspect.signature(EmotionRecognizer).parameters
    return EmotionRecognizer(**({"threads": 1} if has_threads else {}))


def read_frames(video: Path) -> list[np.ndarray]:
    """Return the clip's frames as a camera of 15 frames a second would give them, uint8 (480, 640, 3) each."""
    capture, frames = cv2.VideoCapture(str(video)), []
    step = capture.get(cv2.CAP_PROP_FPS) / FPS
    number = 0
    while (read := capture.read())[0]:
        if number >= round(len(frames) * step):
            frames.append(cv2.resize(_middle(read[1]), SIZE_WH, interpolation=cv2.INTER_AREA))
        number += 1
    if not frames:
        raise SystemExit(f"{video} has no frame that OpenCV can read.")
    return (frames + frames[::-1]) * PASSES


def _middle(image: np.ndarray) -> np.ndarray:
    """Return the middle of a frame, of the camera's proportions."""
    height, width = image.shape[:2]
    wide = min(width, round(height * SIZE_WH[0] / SIZE_WH[1]))
    return image[:, (width - wide) // 2 :][:, :wide]


if __name__ == "__main__":
    main()
