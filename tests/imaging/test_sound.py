"""The sound of a copy is that of the video, at its time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from fer_core.imaging.sound import CONVERTED, COPIED, open_sound
from fer_core.imaging.video import open_video, write_video

RATE = 48_000
SECONDS = 4


def write(path, codec, audio_codec):
    """Write four seconds of video whose sound is a click at each whole second but the first."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(audio_codec, rate=RATE, layout="mono")
        samples = np.zeros(SECONDS * RATE, np.float32)
        for second in range(1, SECONDS):
            samples[second * RATE : second * RATE + 2000] = 0.8 * np.sin(np.arange(2000) * 0.3)
        for index in range(10 * SECONDS):
            image = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * index, np.uint8), format="bgr24")
            container.mux(video.encode(image))
            part = samples[index * RATE // 10 : (index + 1) * RATE // 10]
            frame = av.AudioFrame.from_ndarray(part[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, index * RATE // 10, Fraction(1, RATE)
            container.mux(audio.encode(frame))
        container.mux(video.encode())
        container.mux(audio.encode())
    return path


def copy(path, out, start_s=0.0, end_s=SECONDS):
    with open_video(path) as video:
        frames = list(video.frames(0.0, start_s, end_s))
        with open_sound(path, video.first_s + start_s) as sound, write_video(out, Fraction(10), sound) as writer:
            for frame in frames:
                writer.write(frame.image_bgr, frame.time_s - start_s)
            writer.close(end_s - start_s)
            return None if sound is None else sound.outcome


def clicks_s(path):
    """Return when the clicks of a file are heard, seconds after its first frame is shown."""
    with av.open(str(path)) as container:
        first_s = next(container.decode(video=0)).time
    times, levels = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float32)
            samples = samples.mean(axis=0) if frame.format.is_planar else samples.reshape(-1)
            times.append(frame.time - first_s + np.arange(len(samples)) / frame.sample_rate)
            levels.append(np.abs(samples))
    time_s, level = np.concatenate(times), np.concatenate(levels)
    loud = time_s[level > 0.3 * level.max()]
    return loud[np.insert(np.diff(loud) > 0.3, 0, True)]


@pytest.mark.parametrize(
    ("suffix", "codec", "audio_codec", "outcome"),
    [
        (".mp4", "libx264", "aac", COPIED),
        (".mkv", "libx264", "libopus", COPIED),
        (".ts", "libx264", "aac", COPIED),
        (".avi", "mpeg4", "libmp3lame", COPIED),
        (".mov", "libx264", "pcm_s16le", CONVERTED),
        (".avi", "mpeg4", "pcm_s16le", CONVERTED),
    ],
)
def test_what_was_heard_at_a_moment_is_heard_at_it_in_the_copy(tmp_path, suffix, codec, audio_codec, outcome):
    path = write(tmp_path / f"a{suffix}", codec, audio_codec)
    assert copy(path, tmp_path / "copy.mp4") == outcome
    np.testing.assert_allclose(clicks_s(tmp_path / "copy.mp4"), clicks_s(path), atol=0.03)
    assert len(clicks_s(path)) == 3


def test_a_part_has_the_sound_of_that_part(tmp_path):
    path = write(tmp_path / "a.mp4", "libx264", "aac")
    assert copy(path, tmp_path / "copy.mp4", 1.5, 2.7) == COPIED
    np.testing.assert_allclose(clicks_s(tmp_path / "copy.mp4"), [0.5], atol=0.03)


def test_a_video_without_sound_gives_a_copy_without(tmp_path):
    with write_video(tmp_path / "a.mp4", Fraction(10)) as writer:
        for index in range(5):
            writer.write(np.zeros((48, 64, 3), np.uint8), index / 10)
    assert copy(tmp_path / "a.mp4", tmp_path / "copy.mp4", end_s=0.5) is None
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
