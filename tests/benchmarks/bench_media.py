"""How fast a video becomes a table and an annotated copy with its sound, in seconds of video a second.

    python -m tests.benchmarks.bench_media VIDEO [--seconds 20] [--photos 200] [--rounds 3] [--fer PYTHON]

VIDEO is any clip with a face; it is brought to 640×360 at 25 frames a second with sound, and repeated forwards and
backwards to the wanted length. The rival is PyPI's `fer` in Haar mode on the same file, in the Python that `--fer`
names, where it is installed: its `Video.analyze` with an annotated video, which has no sound, and without single
frames. With `--photos`, that many frames of the video as photos of one megapixel are measured instead: to a table
here, by `FER.detect_emotions` there, both from the files. Rounds of both are interleaved, so that the machine's drift
meets both alike; figures are medians.
"""

from __future__ import annotations

import argparse
import io
import shutil
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
PHOTO_WH = (1333, 750)
_FER_PHOTOS = """
import sys, time
from pathlib import Path
import cv2
from fer.fer import FER
detector = FER()
start = time.perf_counter()
for path in sorted(Path(sys.argv[1]).iterdir()):
    detector.detect_emotions(cv2.imread(str(path)))
print("seconds", time.perf_counter() - start)
"""
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
    parser.add_argument("--photos", type=int, help="measure this many photos instead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fer", help="a Python in which PyPI's fer is installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / ("photos" if options.photos else "clip.mp4")
        if options.photos:
            write_photos(options.video, source, options.photos)
        else:
            write_clip(options.video, source, options.seconds)
        measure_ours, script = (photos, _FER_PHOTOS) if options.photos else (ours, _FER)
        contestants = {"ours": lambda: measure_ours(source, recognizer)}
        if options.fer:
            contestants["fer"] = lambda: rival(source, options.fer, script)
        recognizer = EmotionRecognizer()
        recognizer.analyze(np.zeros((64, 64, 3), np.uint8))
        rounds = [{name: measure() for name, measure in contestants.items()} for _ in range(options.rounds)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in contestants}
    for name, seconds in medians.items():
        if options.photos:
            print(f"{name}: {options.photos / seconds:.1f} photos a second")
        else:
            print(f"{name}: {options.seconds / seconds:.2f} × real time")
    if options.fer:
        print(f"ratio: {medians['fer'] / medians['ours']:.1f} ×")


def ours(clip: Path, recognizer: EmotionRecognizer) -> float:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        (outcome,) = analyze_files(recognizer, {"clip": clip}, io.StringIO(), Choices(annotated=Path(folder)))
        assert outcome["sound"] == "copied" and "error" not in outcome
        return time.perf_counter() - start


def photos(folder: Path, recognizer: EmotionRecognizer) -> float:
    paths = {path.name: path for path in sorted(folder.iterdir())}
    start = time.perf_counter()
    assert all("error" not in outcome for outcome in analyze_files(recognizer, paths, io.StringIO(), Choices()))
    return time.perf_counter() - start


def rival(source: Path, python: str, script: str) -> float:
    with tempfile.TemporaryDirectory() as folder:  # `fer` leaves its table where it runs
        command = [Path(shutil.which(python) or python).absolute(), "-c", script, source.resolve()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return float(done.stdout.split("seconds")[-1])


def write_photos(source: Path, folder: Path, count: int) -> None:
    """Write frames of a video as photos of one megapixel."""
    folder.mkdir()
    with open_video(source) as video:
        images = [cv2.resize(frame.image_bgr, PHOTO_WH, interpolation=cv2.INTER_CUBIC) for frame in video.frames()]
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:04}.jpg"), images[index % len(images)])


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
