"""Videos as they come from cameras, and as they are broken."""

import math
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from fer_core.errors import MediaError
from fer_core.imaging import video as video_module
from fer_core.imaging.frame_clock import EARLY_S
from fer_core.imaging.truncation import lacks_bytes
from fer_core.imaging.video import open_video, write_video
from tests.clips import encode


def shade(index, height=48, width=64):
    """A frame whose shade tells its number, darker at its top."""
    image = np.full((height, width, 3), 20 + 8 * (index % 25), np.uint8)
    image[: height // 4] = 0
    return image


def write(path, times_s, size=(48, 64)):
    with write_video(path, Fraction(10)) as writer:
        for index, time_s in enumerate(times_s):
            writer.write(shade(index, *size), time_s)
    return path


def read(path, every_s=0.0):
    with open_video(path) as video:
        return list(video.frames(every_s))


def test_what_is_written_is_read_again_each_frame_at_its_time(tmp_path):
    times_s = [0.0, 0.1, 0.25, 0.5, 1.5]  # as of a camera that is busy
    frames = read(write(tmp_path / "a.mp4", times_s))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=1e-4)
    for index, frame in enumerate(frames):
        assert np.abs(frame.image_bgr.astype(int) - shade(index)).mean() < 4


def test_time_begins_with_the_first_frame(tmp_path):
    assert read(write(tmp_path / "a.mp4", [3.0, 3.1]))[0].time_s == 0.0


@pytest.mark.parametrize(
    ("every_s", "expected"),
    [
        (0.0, range(20)),
        (0.3, [0, 3, 6, 9, 12, 15, 18]),
        (0.25, [0, 3, 5, 8, 10, 13, 15, 18]),
        (0.05, range(20)),
        (60.0, [0]),
    ],
)
def test_frames_between_are_left_out(tmp_path, every_s, expected):
    path = write(tmp_path / "a.mp4", np.arange(20) / 10)
    assert [frame.index for frame in read(path, every_s)] == list(expected)


def test_after_a_gap_frames_come_on_the_same_grid(tmp_path):
    path = write(tmp_path / "a.mp4", [0, 0.1, 0.2, 5.05, 5.1, 5.2, 6.0])
    assert [frame.index for frame in read(path, 1.0)] == [0, 3, 6]


def test_frames_that_change_their_size_are_brought_to_that_of_the_first(tmp_path):
    with write_video(tmp_path / "a.mp4", Fraction(10)) as writer:
        for index, size in enumerate([(48, 64), (96, 128), (24, 32)]):
            writer.write(shade(index, *size), index / 10)
    assert [frame.image_bgr.shape for frame in read(tmp_path / "a.mp4")] == [(48, 64, 3)] * 3


def test_odd_sides_lose_a_row_and_a_column(tmp_path):
    assert read(write(tmp_path / "a.mp4", [0.0], size=(49, 65)))[0].image_bgr.shape == (48, 64, 3)


@pytest.mark.parametrize(("matrix", "clockwise"), [((0, 1, -1, 0), 1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 3)])
def test_a_video_of_a_phone_held_otherwise_comes_upright(tmp_path, matrix, clockwise):
    content = bytearray(write(tmp_path / "a.mp4", [0.0, 0.1]).read_bytes())
    a, b, c, d = (value << 16 for value in matrix)  # x' = a·x + c·y, y' = b·x + d·y, as 16.16 in the track's header
    struct.pack_into(">9i", content, content.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    (tmp_path / "b.mp4").write_bytes(content)
    turned, plain = read(tmp_path / "b.mp4")[0].image_bgr, read(tmp_path / "a.mp4")[0].image_bgr
    np.testing.assert_array_equal(turned, np.rot90(plain, -clockwise))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "neither"), (b"no video at all" * 100, "neither"), (b"\x00\x00\x00\x20ftypisom" + bytes(400), "neither")],
)
def test_what_is_no_video_is_an_error_in_words(tmp_path, content, said):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(MediaError, match=said):
        read(tmp_path / "a.mp4")


def test_a_video_cut_short_gives_what_it_has_or_says_so(tmp_path):
    whole = write(tmp_path / "a.mp4", np.arange(100) / 10).read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole[: len(whole) // 2])  # what FFmpeg needs stands at the end of an MP4
    with pytest.raises(MediaError, match="b.mp4 cannot be read"):
        read(tmp_path / "b.mp4")


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="only audio"):
        read(tmp_path / "a.mp4")


def test_frames_that_would_take_all_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(video_module, "MAX_PIXELS", 1000)
    with pytest.raises(MediaError, match="64 × 48 pixels"):
        read(write(tmp_path / "a.mp4", [0.0]))


def test_a_video_that_fails_to_be_written_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), write_video(tmp_path / "a.mp4", Fraction(10)) as writer:
        writer.write(shade(0), 0.0)
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_a_part_has_the_frames_that_the_whole_has_there(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 7
        for index in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade(index), format="bgr24")))
        container.mux(stream.encode())
    with open_video(path) as video:
        whole = list(video.frames())
    for start_s, end_s in ((0.5, 1.0), (3.1, 4.0), (5.05, math.inf)):
        expected = [frame for frame in whole if start_s - 1e-3 <= frame.time_s < end_s - 1e-3]
        with open_video(path) as video:
            part = list(video.frames(0.0, start_s, end_s))
        assert [frame.index for frame in part] == [frame.index for frame in expected]
        np.testing.assert_allclose([f.time_s for f in part], [f.time_s for f in expected], atol=1e-3)
        for one, other in zip(part, expected, strict=True):
            np.testing.assert_array_equal(one.image_bgr, other.image_bgr)


def test_a_part_keeps_to_the_grid_of_the_whole(tmp_path):
    path = write(tmp_path / "a.mp4", np.arange(40) / 10)
    with open_video(path) as video:
        assert [frame.index for frame in video.frames(0.5, 2.2, 3.6)] == [22, 25, 30, 35]


def entered(path, start_s, end_s, every_s=0.0):
    with open_video(path) as video:
        return [
            (frame.index, frame.time_s, frame.image_bgr.tobytes()) for frame in video.frames(every_s, start_s, end_s)
        ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("one-keyframe.ts", {"x264-params": "keyint=infinite:scenecut=0"}),
        ("rolling-refresh.ts", {"x264-params": "keyint=infinite:intra-refresh=1:scenecut=0"}),
        ("open-groups.ts", {"x264-params": "open-gop=1:keyint=20:bframes=3:scenecut=0"}),
    ],
)
def test_a_part_begins_and_ends_exactly_wherever_its_format_can_be_entered(tmp_path, name, options):
    path = encode(tmp_path / name, options=options)
    whole = entered(path, 0.0, math.inf)
    assert len(whole) == 150
    for start_s, end_s in ((0.5, 1.0), (2.3, 2.5), (4.02, 5.0), (5.5, math.inf), (60.0, 61.0)):
        expected = [frame for frame in whole if start_s - EARLY_S <= frame[1] < end_s - EARLY_S]
        assert entered(path, start_s, end_s) == expected
    assert {index for index, *_ in entered(path, 3.0, 4.0, 0.3)} < {index for index, *_ in entered(path, 3.0, 4.0)}


def test_a_part_of_a_file_whose_clock_starts_anew_has_the_frames_of_both_rounds(tmp_path):
    once = encode(tmp_path / "once.ts").read_bytes()
    (tmp_path / "twice.ts").write_bytes(once + once)
    assert [index for index, *_ in entered(tmp_path / "twice.ts", 5.8, math.inf)] == [
        145,
        146,
        147,
        148,
        149,
        *range(295, 300),
    ]


def trimmed(source, target, from_s):
    """Copy the packets from the keyframe before a time; what is shown earlier gets a negative time, which is hidden."""
    options = {"movflags": "faststart"}
    with av.open(str(source)) as container, av.open(str(target), "w", options=options) as copy:
        stream = container.streams.video[0]
        container.seek(round(from_s / stream.time_base), stream=stream)
        track = copy.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.size:
                packet.pts, packet.dts = (time - round(from_s / stream.time_base) for time in (packet.pts, packet.dts))
                packet.stream = track
                copy.mux(packet)
    return target


@pytest.mark.parametrize("name", ["late.mkv", "late.avi", "late.mp4", "late.flv", "late.wmv", "late.ts"])
def test_a_clock_that_starts_late_does_not_cut_a_video_off(tmp_path, name):
    codec = "wmv2" if name.endswith("wmv") else "libx264"
    path = encode(tmp_path / name, times=list(range(1000, 1150)), codec=codec, options={"bf": "0"})
    with open_video(path) as video:
        times_s = [frame.time_s for frame in video.frames()]
        assert video.first_s > 35 and (name == "late.avi" or video.duration_s < 8)
    np.testing.assert_allclose(times_s, np.arange(150) / 25, atol=2e-3)


def test_frames_that_an_edit_hides_are_not_missing(tmp_path):
    path = trimmed(encode(tmp_path / "whole.mp4"), tmp_path / "a.mp4", 1.36)
    with open_video(path) as video:
        assert len(list(video.frames())) == 150 - 34
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 150 - 20


@pytest.mark.parametrize("name", ["late.mkv", "late.avi", "edited.mp4"])
def test_a_video_that_lacks_its_end_is_cut_off_whatever_its_clock(tmp_path, name):
    whole = tmp_path / name
    if name == "edited.mp4":
        trimmed(encode(tmp_path / "a.mp4"), whole, 1.36)
    else:
        encode(whole, times=list(range(1000, 1150)))
    assert lacks_bytes(whole) is False and entered(whole, 0.0, math.inf)
    cut = tmp_path / f"cut{whole.suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert lacks_bytes(cut) is True
    with pytest.raises(MediaError, match="is cut off after|is damaged after"):
        entered(cut, 0.0, math.inf)
