"""How fast a video becomes a table and an annotated copy with its sound, in seconds of video a second.

    python -m tests.benchmarks.bench_media VIDEO [--seconds 20] [--rounds 3] [--fer PYTHON]

VIDEO is any clip with a face; it is brought to 640×360 at 25 frames a second with sound, and repeated forwards and
backwards to the wanted length. The rival is PyPI's `fer` in Haar mode on the same file, in the Python that `--fer`
names, where it is installed: its `Video.analyze` with an annotated video, which has no sound, and without single
frames. Rounds of both are interleaved, so that the machine's drift meets both alike; figures are medians.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from fer_core.imaging.video import open_video
from fer_core.media.analysis import Choices, analyze_files
from fer_core.recognizer import EmotionRecognizer

SIZE_WH, RATE, SOUND_RATE = (640, 360), 25, 48_000
_FER = """
import sys, tempfile, time
import cv2
cv2.waitKey = lambda *_: -1  # there is no window
cv2.destroyAllWindows = lambda: None
from fer.classes import Video
from fer.fer import FER
detector = FER()
start = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    Video(sys.argv[1], outdir=folder).analyze(detector, save_frames=False, zip_images=False)
    print("seconds", time.perf_counter() - start)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the video that is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fer", help="a Python in which PyPI's fer is installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(options.video, clip, options.seconds)
        contestants = {"ours": lambda: ours(clip, recognizer)}
        if options.fer:
            contestants["fer"] = lambda: rival(clip, options.fer)
        recognizer = EmotionRecognizer()
        recognizer.analyze(np.zeros((64, 64, 3), np.uint8))
        rounds = [{name: measure() for name, measure in contestants.items()} for _ in range(options.rounds)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in contestants}
    for name, seconds in medians.items():
        print(f"{name}: {options.seconds / seconds:.2f} × real time")
    if options.fer:
        print(f"ratio: {medians['fer'] / medians['ours']:.1f} ×")


def ours(clip: Path, recognizer: EmotionRecognizer) -> float:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        (outcome,) = analyze_files(recognizer, {"clip": clip}, io.StringIO(), Choices(annotated=Path(folder)))
        assert outcome["sound"] == "copied" and "error" not in outcome
        return time.perf_counter() - start


def rival(clip: Path, python: str) -> float:
    done = subprocess.run([python, "-c", _FER, str(clip)], capture_output=True, text=True, check=True)
    return float(done.stdout.split("seconds")[-1])


def write_clip(source: Path, path: Path, seconds: float) -> None:
    """Write the video that is measured."""
    with open_video(source) as video:
        images = [cv2.resize(frame.image_bgr, SIZE_WH) for frame in video.frames()]
    images += images[::-1]
    with av.open(str(path), "w") as container:
        video_stream = container.add_stream("libx264", rate=RATE)
        video_stream.width, video_stream.height, video_stream.pix_fmt = *SIZE_WH, "yuv420p"
        sound_stream = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        samples = SOUND_RATE // RATE
        for index in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(images[index % len(images)], format="bgr24")
            container.mux(video_stream.encode(frame))
            tone = np.sin(2 * np.pi * 440 * (np.arange(samples) + index * samples) / SOUND_RATE).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(0.1 * tone[None], format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = SOUND_RATE, index * samples, Fraction(1, SOUND_RATE)
            container.mux(sound_stream.encode(sound))
        container.mux(video_stream.encode())
        container.mux(sound_stream.encode())


if __name__ == "__main__":
    main()
