"""Videos written while they are filmed: exact times, another size on the way, a disk that fills up."""

import stat
from contextlib import suppress

import cv2
import numpy as np
import pytest

from fer_core.errors import MediaError
from fer_core.imaging.fragments import FragmentWriter, finish_video, video_facts
from fer_core.imaging.video import open_video
from tests.disks import SmallDisk

TIMES_S = np.cumsum(np.r_[0, np.tile([0.066, 0.067, 0.034, 0.2], 12), 17.3, np.full(15, 0.1)])


def picture(number, size_wh=(64, 48)):
    """Return a picture by whose brightness its number can be told."""
    return np.full((size_wh[1], size_wh[0], 3), 3 * number + 20, np.uint8)


def write(path, times_s=TIMES_S, sizes=None):
    with path.open("wb", buffering=0) as file:
        writer = FragmentWriter(file, (64, 48))
        for number, time_s in enumerate(times_s):
            writer.write(picture(number, (sizes or {}).get(number, (64, 48))), float(time_s))
        writer.close()


def read(path):
    with open_video(path) as video:
        return [(frame.time_s, frame.image_bgr) for frame in video.frames()]


def test_every_picture_has_its_own_time_before_and_after_it_is_finished(tmp_path):
    path = tmp_path / "video.mp4"
    write(path)
    in_fragments = read(path)
    facts = finish_video(path)
    finished = read(path)
    for frames in (in_fragments, finished):
        assert [time_s for time_s, _ in frames] == pytest.approx(TIMES_S, abs=1e-4)
        numbers = [(image[24, 32].mean() - 20) / 3 for _, image in frames]
        assert numbers == pytest.approx(range(len(TIMES_S)), abs=0.9)
    assert (facts.size_wh, facts.frames) == ((64, 48), len(TIMES_S))
    assert facts.length_s == pytest.approx(TIMES_S[-1], abs=0.2) and facts == video_facts(path)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat") and b"moof" not in data  # a player need not read all of it
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and list(tmp_path.iterdir()) == [path]


def test_another_size_and_shape_on_the_way_is_fitted_into_the_first(tmp_path):
    path = tmp_path / "video.mp4"
    write(path, TIMES_S[:4], {1: (32, 24), 2: (48, 64), 3: (65, 49)})
    images = [image for _, image in read(path)]
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert images[1].mean() == pytest.approx(23, abs=1)
    assert images[2][:, :10].max() < 4 and images[2][24, 32].mean() == pytest.approx(26, abs=2)  # upright, black beside
    assert images[3].mean() == pytest.approx(29, abs=1)


@pytest.mark.parametrize("room", [40_000, 90_000])
def test_a_disk_that_fills_up_leaves_what_was_written_before(tmp_path, room):
    path, noise = tmp_path / "video.mp4", np.random.default_rng(0)
    with path.open("wb", buffering=0) as file:
        writer = FragmentWriter(SmallDisk(file, room), (64, 48))
        with pytest.raises(OSError, match="No space left"):
            for number in range(200):
                writer.write(cv2.blur(noise.integers(0, 255, (48, 64, 3), np.uint8), (3, 3)), number / 15)
        with suppress(OSError):
            writer.close()
    frames = len(read(path))
    assert frames == finish_video(path).frames == len(read(path)) and 10 < frames < 200


def test_what_is_no_video_or_is_empty_is_an_error_in_words(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(b"no video")
    for step in (video_facts, finish_video):
        with pytest.raises(MediaError, match=r"Invalid data"):
            step(path)
    assert path.read_bytes() == b"no video" and list(tmp_path.iterdir()) == [path]
    with path.open("wb", buffering=0) as file:
        FragmentWriter(file, (64, 48)).close()
    with pytest.raises(MediaError, match="holds no picture|Invalid data"):
        video_facts(path)
