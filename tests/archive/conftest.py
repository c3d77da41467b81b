"""Pictures and clips for archives."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import pandas as pd
import pytest

from fer_core.imaging.video import write_video


@pytest.fixture
def media(tmp_path, monkeypatch, draw_scene):
    """A folder with two photos, a clip and a photo that is cut short, named from the folder it lies in."""
    folder = tmp_path / "media"
    write_media(folder, draw_scene)
    monkeypatch.chdir(tmp_path)
    return folder


def write_media(folder, draw_scene):
    folder.mkdir()
    for name, faces in {"a.jpg": [(300, 230, 120)], "b.jpg": [(160, 230, 120), (460, 240, 130)]}.items():
        cv2.imwrite(str(folder / name), draw_scene(*faces))
    write_clip(folder / "c.mp4", draw_scene, frames=4)
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:3000])


def write_clip(path, draw_scene, frames, shift=0):
    with write_video(path, Fraction(10)) as writer:
        for index in range(frames):
            writer.write(draw_scene((200 + shift + 3 * index, 230, 120)), index / 10)


def manifest_of(folder: Path) -> dict[str, dict]:
    """Return the lines of a manifest by file; those of a running command too, whose last may be half written."""
    path = folder / "manifest.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return {entry["file"]: entry for entry in map(json.loads, lines)}


def done_in(folder: Path) -> set[str]:
    return {file for file, entry in manifest_of(folder).items() if entry["state"] == "done"}


def rows_of(folder: Path) -> pd.DataFrame:
    rows = pd.read_parquet(folder / "parts")
    return rows.sort_values(["file", "frame", "face"], ignore_index=True)
