"""Long videos by segments: decoded, analysed and joined apart, with what a single pass gives."""

import dataclasses
import io
import math
from contextlib import closing

import numpy as np
import pytest

from fer_core.errors import MediaError
from fer_core.imaging.video import SeekError, open_video
from fer_core.media import processes, splitting
from fer_core.media.analysis import Choices, analyze_files
from fer_core.media.segment_file import load_segment, save_segment
from fer_core.media.splitting import analyze_segment, find_split, join_segments
from fer_core.recognition.pipeline import StreamSettings
from fer_core.recognizer import EmotionRecognizer
from tests.clips import encode, walking_faces

OPEN_GROUPS = {"x264-params": "open-gop=1:keyint=20:bframes=3:scenecut=0"}
FORMATS = {
    "B-frames.mp4": ("libx264", {"bf": "3"}),
    "open-groups.mkv": ("libx264", OPEN_GROUPS),
    "open-groups.ts": ("libx264", OPEN_GROUPS),
    "program.mpg": ("mpeg2video", {"bf": "2"}),
    "hidden-frames.webm": ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "realtime"}),
    "old.avi": ("mpeg4", {}),
}


def frames_of(video, *arguments):
    return {frame.index: (frame.time_s, frame.image_bgr.tobytes()) for frame in video.frames(*arguments)}


def assert_segments_are_exact(path, every_s=0.0):
    with open_video(path) as video:
        whole = frames_of(video, every_s)
    split = find_split(path, Choices(every_s, segment_s=1.5))
    assert len(split.parts) == 4
    given = set()
    for part in split.parts:
        with open_video(path) as video:
            frames = frames_of(video, every_s, part.decode_from_s, part.end_s, part.seek)
        assert frames.items() <= whole.items()
        assert part.number == 0 or min(frames) < min(frames.keys() - given)  # one before it too, to check it by
        given |= frames.keys()
    assert given == whole.keys()
    assert split.parts[-1].seek.index > 0


@pytest.mark.parametrize("every_s", [0.0, 0.3])
@pytest.mark.parametrize("name", FORMATS)
def test_the_frames_of_segments_are_those_of_the_whole(tmp_path, name, every_s):
    codec, options = FORMATS[name]
    assert_segments_are_exact(encode(tmp_path / name, codec=codec, options=options), every_s)


def test_times_may_begin_late_and_vary(tmp_path):
    times = (1000 + np.cumsum(np.where(np.arange(150) % 9, 1, 9))).tolist()
    assert_segments_are_exact(encode(tmp_path / "a.mp4", rate=50, times=times, options={"bf": "2"}))


def test_a_file_without_an_index_is_entered_too(tmp_path):
    class Pipe:
        def __init__(self, file):
            self.write = file.write

    with (tmp_path / "a.mkv").open("wb") as file:
        encode(None, file=Pipe(file))
    assert_segments_are_exact(tmp_path / "a.mkv")


@pytest.mark.parametrize(
    ("choices", "numbers"),
    [
        (Choices(segment_s=3.5), [0, 1]),
        (Choices(segment_s=10), None),
        (Choices(segment_s=2, end_s=1.9), None),
        (Choices(segment_s=2, start_s=3.1, end_s=5.6), [0, 1]),
        (Choices(segment_s=2, start_s=4.5), None),
    ],
)
def test_only_what_is_longer_than_a_segment_is_split(tmp_path, choices, numbers):
    split = find_split(encode(tmp_path / "a.mp4"), choices)
    assert (split and [part.number for part in split.parts]) == numbers


def test_a_video_with_hardly_any_keyframe_is_not_split(tmp_path, monkeypatch):
    monkeypatch.setattr(splitting, "_MAX_DECODED_FOR_NOTHING_S", 3.0)
    path = encode(tmp_path / "a.mp4", options={"x264-params": "keyint=infinite:scenecut=0"})
    with pytest.raises(SeekError, match=r"a.mp4 has keyframes more than 3 s apart"):
        find_split(path, Choices(segment_s=1.5))
    (tmp_path / "b.mp4").write_bytes(b"no video")
    assert find_split(tmp_path / "b.mp4", Choices()) is None


# Results


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer()


@pytest.fixture(scope="module")
def walk(tmp_path_factory, draw_scene):
    """Two faces for 5 seconds, of which one goes away at a boundary, and a third that comes late."""
    return encode(tmp_path_factory.mktemp("walk") / "walk.mp4", walking_faces(draw_scene), rate=10)


def whole_results(recognizer, path, choices):
    settings = StreamSettings(smoothing_s=choices.smoothing_s)
    arguments = choices.every_s, settings, choices.start_s, choices.end_s, choices.segment_s
    with open_video(path) as video, closing(recognizer.follow(video, *arguments)) as frames:
        return [result for _, result in frames]


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            assert_same(value, other[name])
        else:
            np.testing.assert_array_equal(value, other[name], err_msg=name)


@pytest.mark.parametrize(
    "choices",
    [
        Choices(smoothing_s=0.4, segment_s=1.5),
        Choices(every_s=0.35, smoothing_s=0.4, start_s=0.7, end_s=4.8, segment_s=1.5),
    ],
    ids=["all frames", "some"],
)
def test_segments_that_were_analysed_apart_give_the_result_of_one_pass(recognizer, walk, tmp_path, choices):
    expected = whole_results(recognizer, walk, choices)
    split = find_split(walk, choices)
    for part in reversed(split.parts):
        save_segment(analyze_segment(recognizer, walk, split, part), tmp_path / f"{part.number}.npz", "key")
    assert load_segment(tmp_path / "0.npz", "another key") is None
    loaded = (load_segment(tmp_path / f"{part.number}.npz", "key") for part in split.parts)
    joined = list(join_segments(loaded, split))
    assert len(joined) == len(expected) > 10
    for one, other in zip(joined, expected, strict=True):
        assert_same(dataclasses.asdict(one), dataclasses.asdict(other))


@pytest.fixture(scope="module")
def undivided(recognizer, walk):
    return whole_results(recognizer, walk, Choices(smoothing_s=0.4, segment_s=math.inf))


def test_boundaries_cost_no_face_and_no_number(recognizer, walk, undivided):
    divided = whole_results(recognizer, walk, Choices(smoothing_s=0.4, segment_s=1.5))
    assert [len(result) for result in divided] == [len(result) for result in undivided]
    numbers = {i for result in divided for i in result.track_id.tolist()}
    assert len(numbers) == len({i for result in undivided for i in result.track_id.tolist()}) == 3
    assert {result.track_id[0] for result in divided} == {0}


def test_a_video_of_one_segment_has_the_result_of_a_plain_stream(recognizer, walk, undivided):
    stream = recognizer.stream(StreamSettings(smoothing_s=0.4), thorough=True)
    with open_video(walk) as video:
        expected = [
            stream.process(frame.image_bgr, frame.time_s, confirm_immediately=frame.index == 0)
            for frame in video.frames(end_s=2.0)
        ]
    assert len(expected) == 20
    for one, other in zip(undivided, expected, strict=False):
        assert_same(dataclasses.asdict(one), dataclasses.asdict(other))


def test_segments_that_do_not_fit_together_are_noticed(recognizer, walk):
    split = find_split(walk, Choices(segment_s=1.5))
    first, second = (analyze_segment(recognizer, walk, split, part) for part in split.parts[:2])
    assert len(list(join_segments([first, second], split))) == 30
    shifted = dataclasses.replace(second, before=dataclasses.replace(second.before, checksum=0))
    with pytest.raises(SeekError, match="gives other frames"):
        list(join_segments([first, shifted], split))


def test_what_a_damaged_video_holds_until_there_is_kept(recognizer, walk):
    split = find_split(walk, Choices(segment_s=1.5))
    first, second = (analyze_segment(recognizer, walk, split, part) for part in split.parts[:2])
    damaged = dataclasses.replace(second, error="walk.mp4 is damaged", frames=second.frames[:3])
    joined, kept = join_segments([first, damaged, damaged], split), []
    with pytest.raises(MediaError, match=r"walk.mp4 is damaged"):
        while True:
            kept.append(next(joined).index)
    assert kept == list(range(18))


def test_several_processes_share_a_long_video_and_write_what_one_writes(recognizer, walk, monkeypatch):
    choices, files = Choices(smoothing_s=0.4, end_s=2.5, segment_s=1.5), {"first": walk, "second": walk}
    alone, shared = io.StringIO(), io.StringIO()
    outcomes = analyze_files(recognizer, files, alone, choices)
    splits = []

    def join(results, split):
        splits.append(split)
        if len(splits) == 1:
            raise SeekError("it does not fit together")
        return join_segments(results, split)

    monkeypatch.setattr(processes, "join_segments", join)
    pool = processes.Processes(2, recognizer.name)
    assert processes.analyze_in_processes(pool, recognizer, files, shared, choices, lambda *_: None) == outcomes
    assert shared.getvalue() == alone.getvalue() and len(splits) == 2
