"""How fast an archive becomes parts: by this process, by one worker, by two.

    python -m tests.benchmarks.bench_archive [VIDEO] [--pictures 30] [--videos 3] [--workers 1 2] [--rounds 1]

Drawn pictures of 640×480 with two faces, copies of VIDEO, any clip with a face, and one video of two segments, the clip
again and again with five frames a second, are analysed into new folders, each kind by itself. Without VIDEO the clip is
drawn: 4 seconds of 640×480 with a face that moves. By default all of it takes two to three minutes on two idle
processors. What starting processes and loading the network costs is measured by an archive of one picture and taken
off. Rounds are interleaved, so that the machine's drift meets all alike; figures are medians. Processor time, of this
program and its workers alone, says more than seconds where others use the machine too.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import cv2

from fer_core.archive.command import run
from fer_core.archive.folder import MANIFEST
from fer_core.archive.manifest import read_manifest
from fer_core.background.cluster import LOCAL, Cluster
from fer_core.imaging.video import open_video, write_video
from fer_core.media.command import AnalyzeOptions
from fer_core.recognition.segments import SEGMENT_S
from tests.scenes import scene_drawer

_CLIP_FRAMES = 100
_LONG_S, _LONG_FPS = 2.0 * SEGMENT_S, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--pictures", type=int, default=30)
    parser.add_argument("--videos", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    contestants: dict[str, Cluster | None] = {"this process": None}
    contestants |= {f"{jobs} worker{'s' * (jobs > 1)}": Cluster(LOCAL, jobs) for jobs in options.workers}
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        clip = options.video or draw_clip(Path(folder) / "clip.mp4")
        video_s = {"videos": options.videos * seconds_of(clip)}
        media = write_media(Path(folder), clip, options.pictures, options.videos)
        video_s["long"] = sum(map(seconds_of, media["long"].iterdir()))
        rounds = [
            {name: measure_all(media, cluster) for name, cluster in contestants.items()} for _ in range(options.rounds)
        ]
    print(f"load before and now: {load[0]:.1f}, {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    for name in contestants:
        figures = {kind: medians([each[name][kind] for each in rounds]) for kind in media}
        start_s, start_cpu_s = figures["one"]
        pictures_s, pictures_cpu_s = figures["pictures"]
        parts = [
            f"{name}: start {start_s:.1f} s",
            f"pictures {options.pictures / (pictures_s - start_s):.1f}/s, "
            f"{options.pictures / (pictures_cpu_s - start_cpu_s):.1f} a processor second",
        ]
        for kind, length_s in video_s.items():
            wall_s, cpu_s = figures[kind][0] - start_s, figures[kind][1] - start_cpu_s
            parts.append(f"{kind} {length_s / wall_s:.2f} × real time, {length_s / cpu_s:.2f} s a processor second")
        print("; ".join(parts))


def draw_clip(path: Path) -> Path:
    """Write a clip with one face that moves."""
    draw = scene_drawer()
    with write_video(path, Fraction(25)) as writer:
        for index in range(_CLIP_FRAMES):
            side = 140 + 20 * math.sin(index / 9)
            writer.write(draw((320 + 120 * math.sin(index / 16), 240 + 40 * math.cos(index / 11), side)), index / 25)
    return path


def seconds_of(path: Path) -> float:
    with open_video(path) as video:
        return float(sum(1 for _ in video.frames()) / video.rate)


def medians(figures: Sequence[tuple[float, float]]) -> tuple[float, float]:
    seconds, cpu_seconds = zip(*figures, strict=True)
    return statistics.median(seconds), statistics.median(cpu_seconds)


def write_media(folder: Path, video: Path, pictures: int, videos: int) -> Mapping[str, Path]:
    """Write folders of one picture, of many, and of videos; return them by name."""
    media = {kind: folder / kind for kind in ("one", "pictures", "videos", "long")}
    for path in media.values():
        path.mkdir()
    draw = scene_drawer()
    for number in range(pictures):
        image = draw((160 + number % 20, 230, 120), (460, 240 + number % 15, 130))
        cv2.imwrite(str(media["pictures"] / f"{number}.jpg"), image)
    shutil.copy(media["pictures"] / "0.jpg", media["one"])
    for number in range(videos):
        shutil.copy(video, media["videos"] / f"{number}{video.suffix}")
    repeat(video, media["long"] / "long.mp4", _LONG_S)
    return media


def repeat(clip: Path, path: Path, least_s: float) -> None:
    """Write the frames of a clip again and again, until a video is so long."""
    with open_video(clip) as video:
        images = [frame.image_bgr for frame in video.frames()]
    with write_video(path, Fraction(_LONG_FPS)) as writer:
        for index in range(round(least_s * _LONG_FPS)):
            writer.write(images[index % len(images)], index / _LONG_FPS)


def measure_all(media: Mapping[str, Path], cluster: Cluster | None) -> dict[str, tuple[float, float]]:
    return {kind: measure(files, cluster) for kind, files in media.items()}


def measure(files: Path, cluster: Cluster | None) -> tuple[float, float]:
    """Return the seconds that an archive takes, and those of processors, its workers' among them."""
    with tempfile.TemporaryDirectory() as folder:
        out, start, start_cpu = Path(folder) / "out", time.perf_counter(), cpu_seconds()
        with contextlib.redirect_stdout(io.StringIO()):
            run(AnalyzeOptions([files], out), cluster)
        seconds = time.perf_counter() - start
        assert all(entry.state == "done" for entry in read_manifest(out / MANIFEST).values())
        return seconds, cpu_seconds() - start_cpu


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
