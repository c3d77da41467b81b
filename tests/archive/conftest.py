"""Pictures and clips for archives."""

from fractions import Fraction

import cv2
import pytest

from fer_core.imaging.video import write_video


@pytest.fixture
def media(tmp_path, monkeypatch, draw_scene):
    """A folder with two photos, a clip and a photo that is cut short, named from the folder it lies in."""
    folder = tmp_path / "media"
    folder.mkdir()
    for name, faces in {"a.jpg": [(300, 230, 120)], "b.jpg": [(160, 230, 120), (460, 240, 130)]}.items():
        cv2.imwrite(str(folder / name), draw_scene(*faces))
    write_clip(folder / "c.mp4", draw_scene, frames=4)
    (folder / "broken.jpg").write_bytes((folder / "a.jpg").read_bytes()[:3000])
    monkeypatch.chdir(tmp_path)
    return folder


def write_clip(path, draw_scene, frames, shift=0):
    with write_video(path, Fraction(10)) as writer:
        for index in range(frames):
            writer.write(draw_scene((200 + shift + 3 * index, 230, 120)), index / 10)
