"""How fast an archive becomes parts: by this process, by one worker, by two.

    python -m tests.benchmarks.bench_archive VIDEO [--pictures 100] [--videos 10] [--workers 1 2] [--rounds 3]

Drawn pictures of 640×480 with two faces, and copies of VIDEO, any clip with a face, are analysed into new folders, each
kind by itself. What starting processes and loading the network costs is measured by an archive of one picture and taken
off. Rounds are interleaved, so that the machine's drift meets all alike; figures are medians. Processor time, of this
program and its workers alone, says more than seconds where others use the machine too.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from fer_core.archive.command import run
from fer_core.archive.folder import MANIFEST
from fer_core.archive.manifest import read_manifest
from fer_core.background.cluster import LOCAL, Cluster
from fer_core.imaging.video import open_video
from fer_core.media.command import AnalyzeOptions
from tests.scenes import scene_drawer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--videos", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    contestants: dict[str, Cluster | None] = {"this process": None}
    contestants |= {f"{jobs} worker{'s' * (jobs > 1)}": Cluster(LOCAL, jobs) for jobs in options.workers}
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        media = write_media(Path(folder), options.video, options.pictures, options.videos)
        rounds = [
            {name: measure_all(media, cluster) for name, cluster in contestants.items()} for _ in range(options.rounds)
        ]
    with open_video(options.video) as video:
        video_s = options.videos * float(sum(1 for _ in video.frames()) / video.rate)
    print(f"load before and now: {load[0]:.1f}, {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    for name in contestants:
        figures = {kind: medians([each[name][kind] for each in rounds]) for kind in media}
        start_s, start_cpu_s = figures["one"]
        (pictures_s, pictures_cpu_s), (videos_s, videos_cpu_s) = figures["pictures"], figures["videos"]
        print(
            f"{name}: start {start_s:.1f} s; "
            f"pictures {options.pictures / (pictures_s - start_s):.1f}/s, "
            f"{options.pictures / (pictures_cpu_s - start_cpu_s):.1f} a processor second; "
            f"videos {video_s / (videos_s - start_s):.2f} × real time, "
            f"{video_s / (videos_cpu_s - start_cpu_s):.2f} s a processor second"
        )


def medians(figures: Sequence[tuple[float, float]]) -> tuple[float, float]:
    seconds, cpu_seconds = zip(*figures, strict=True)
    return statistics.median(seconds), statistics.median(cpu_seconds)


def write_media(folder: Path, video: Path, pictures: int, videos: int) -> Mapping[str, Path]:
    """Write folders of one picture, of many, and of videos; return them by name."""
    media = {kind: folder / kind for kind in ("one", "pictures", "videos")}
    for path in media.values():
        path.mkdir()
    draw = scene_drawer()
    for number in range(pictures):
        image = draw((160 + number % 20, 230, 120), (460, 240 + number % 15, 130))
        cv2.imwrite(str(media["pictures"] / f"{number}.jpg"), image)
    shutil.copy(media["pictures"] / "0.jpg", media["one"])
    for number in range(videos):
        shutil.copy(video, media["videos"] / f"{number}{video.suffix}")
    return media


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
