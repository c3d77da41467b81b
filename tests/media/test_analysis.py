"""Pictures and videos with faces in them, through the real detector and network, into a table."""

import csv
import io
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core.cli import main
from fer_core.emotions import LABELS
from fer_core.errors import MediaError
from fer_core.imaging.video import open_video, write_video
from fer_core.media import processes
from fer_core.media.analysis import Choices, analyze_files, copy_path
from fer_core.media.sources import find_media
from fer_core.models.bundle import DEFAULT_MODEL
from fer_core.recognizer import EmotionRecognizer
from tests.clips import encode


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer()


@pytest.fixture(scope="module")
def clip(tmp_path_factory, draw_scene):
    """Three seconds at ten frames a second: one face that walks right, in the middle second a second one."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with write_video(path, Fraction(10)) as writer:
        for index in range(30):
            faces = [(150 + 3 * index, 230, 120), *([(480, 240, 130)] if 10 <= index < 20 else [])]
            writer.write(draw_scene(*faces), index / 10)
    return path


def table_of(recognizer, path, choices=Choices()):
    out = io.StringIO()
    (told,) = analyze_files(recognizer, {path.name: path}, out, choices)
    return told["frames"], pd.read_csv(io.StringIO(out.getvalue()))


def test_every_face_of_every_frame_is_a_row_with_time_and_number(recognizer, clip):
    frames, table = table_of(recognizer, clip)
    assert frames == 30
    assert list(table) == [
        "file",
        "frame",
        "time_s",
        "face",
        "left",
        "top",
        "right",
        "bottom",
        "face_size_px",
        "sharpness",
        "brightness",
        "detector_score",
        "valid",
        "not_valid_because",
        "expression",
        "uncertain",
        *LABELS,
    ]
    assert table["frame"].unique().tolist() == list(range(30))
    np.testing.assert_allclose(table["time_s"], table["frame"] / 10, atol=1e-3)
    walks = table[table["face"] == 1]
    assert len(walks) == 30
    middle = (walks["left"] + walks["right"]) / 2
    np.testing.assert_allclose(middle, 150 + 3 * walks["frame"], atol=12)
    other = table[table["face"] == 2]
    assert other["frame"].min() in (10, 11, 12, 13, 14)  # the whole frame is searched four times a second
    assert set(table["face"]) == {1, 2}
    np.testing.assert_allclose(table[list(LABELS)].sum(axis=1), 1, atol=1e-3)
    assert (table["expression"] == table[list(LABELS)].idxmax(axis=1)).all()


def test_uncertain_is_what_the_models_own_threshold_calls_so(recognizer, clip):
    _, table = table_of(recognizer, clip)
    below = table[list(LABELS)].max(axis=1) < recognizer.card.uncertain_below
    clear = (table[list(LABELS)].max(axis=1) - recognizer.card.uncertain_below).abs() > 1e-3
    assert ((table["uncertain"] == "yes") == below)[clear].all()


def test_a_face_that_is_hard_to_see_is_a_row_that_is_marked(recognizer, tmp_path, draw_scene):
    scene = draw_scene((160, 230, 120), (460, 240, 130))
    scene[:, 320:] = cv2.GaussianBlur(scene[:, 320:], (0, 0), 7)
    cv2.imwrite(str(tmp_path / "two.png"), scene)
    _, table = table_of(recognizer, tmp_path / "two.png")
    table = table.sort_values("left")
    assert table["valid"].tolist() == ["yes", "no"]
    assert table["not_valid_because"].fillna("").tolist() == ["", "blurred"]
    assert table["expression"].notna().all() and (table["face_size_px"] > 100).all()


def test_one_face_keeps_its_number_with_a_frame_a_second(recognizer, tmp_path, draw_scene):
    with write_video(tmp_path / "a.mp4", Fraction(1)) as writer:
        for index in range(6):
            writer.write(draw_scene((300 + 4 * index, 230, 120)), float(index))
    _, table = table_of(recognizer, tmp_path / "a.mp4", Choices(every_s=1.0))
    assert table["face"].tolist() == [1] * 6


def test_a_frame_without_a_face_is_a_row_of_its_own(recognizer, tmp_path, draw_scene):
    cv2.imwrite(str(tmp_path / "empty.png"), draw_scene())
    _, table = table_of(recognizer, tmp_path / "empty.png")
    assert len(table) == 1
    assert table.loc[0, "frame"] == 0
    assert table.loc[0, ["time_s", "face", "left", "expression", *LABELS]].isna().all()


def test_a_picture_gives_what_the_library_gives(recognizer, tmp_path, draw_scene):
    scene = draw_scene((160, 230, 120), (460, 240, 130))
    cv2.imwrite(str(tmp_path / "two.png"), scene)
    _, table = table_of(recognizer, tmp_path / "two.png")
    result = recognizer.analyze(scene)
    assert len(table) == len(result) == 2
    np.testing.assert_allclose(table[list(LABELS)], result.prediction.probs, atol=1e-4)
    np.testing.assert_allclose(table[["left", "top", "right", "bottom"]], result.detections.xyxy, atol=0.05)


def test_smoothing_is_the_streams(recognizer, clip):
    # What people see in a drawn face is the same in each frame; the scores of the labels move.
    labels = recognizer.with_label_set("fer")
    raw, smooth = (table_of(labels, clip, Choices(smoothing_s=smoothing_s))[1] for smoothing_s in (0.0, 1.0))
    change = lambda table: table[table["face"] == 1][list(LABELS)].diff().abs().mean().mean()  # noqa: E731
    assert change(smooth) < 0.5 * change(raw)


def test_annotated_copies_have_every_analysed_frame_and_something_drawn(recognizer, clip, tmp_path, draw_scene):
    table_of(recognizer, clip, Choices(annotated=tmp_path / "out", every_s=0.5))
    with open_video(tmp_path / "out" / "clip.mp4.annotated.mp4") as video:
        frames = list(video.frames())
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(6) / 2, atol=1e-3)
    with open_video(clip) as video:
        first = next(video.frames()).image_bgr
    assert np.abs(frames[0].image_bgr.astype(int) - first).max() > 60
    cv2.imwrite(str(tmp_path / "one.jpg"), draw_scene((300, 230, 120)))
    table_of(recognizer, tmp_path / "one.jpg", Choices(annotated=tmp_path / "out"))
    assert cv2.imread(str(tmp_path / "out" / "one.jpg.annotated.png")).shape == (480, 640, 3)


def test_a_part_of_a_video_keeps_the_videos_times_and_numbers(recognizer, clip, tmp_path):
    choices = Choices(annotated=tmp_path, start_s=1.5, end_s=2.0)
    frames, table = table_of(recognizer, clip, choices)
    assert frames == 5 and table["frame"].unique().tolist() == [15, 16, 17, 18, 19]
    np.testing.assert_allclose(table["time_s"].unique(), np.arange(15, 20) / 10, atol=1e-3)
    with open_video(copy_path(clip, tmp_path)) as copy:
        np.testing.assert_allclose([frame.time_s for frame in copy.frames()], np.arange(5) / 10, atol=1e-3)
    (outcome,) = analyze_files(recognizer, {"clip": clip}, io.StringIO(), Choices(start_s=60.0))
    assert "no frame from 60 s on; it is 3.0 s long" in outcome["error"]


@pytest.mark.parametrize("name", ["one-keyframe.ts", "late.mkv"])
def test_a_part_has_the_times_of_the_whole_wherever_its_file_can_be_entered(tmp_path, draw_scene, name):
    images = [draw_scene((150 + 3 * index, 230, 120)) for index in range(50)]
    options = {"x264-params": "keyint=infinite:scenecut=0"}
    path = encode(tmp_path / name, images, 10, list(range(1000, 1050)), options=options)
    tables = []
    for out, words in (("whole.csv", []), ("part.csv", ["--start", "2.95", "--end", "4.2"])):
        assert main(["analyze", str(path), "--out", str(tmp_path / out), *words]) == 0
        tables.append(pd.read_csv(tmp_path / out)[["frame", "time_s"]])
    whole, part = tables
    assert part["frame"].tolist() == list(range(30, 42))
    pd.testing.assert_frame_equal(part, whole[whole["frame"].between(30, 41)].reset_index(drop=True))


def test_the_command_blurs_faces_in_copies_alone(tmp_path, draw_scene, capsys):
    cv2.imwrite(str(tmp_path / "one.png"), draw_scene((300, 230, 120)))
    assert main(["analyze", str(tmp_path / "one.png"), "--blur-faces"]) == 1
    assert "name a folder for them with --annotated" in capsys.readouterr().err
    assert main(["analyze", str(tmp_path / "one.png"), "--blur-faces", "--annotated", str(tmp_path / "out")]) == 0
    copy = cv2.imread(str(tmp_path / "out" / "one.png.annotated.png"))
    assert np.abs(np.diff(copy[190:270, 265:335].astype(int), axis=1)).mean() < 6


def test_a_folder_means_the_media_in_it(tmp_path):
    for name in ("b.MP4", "a.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert find_media([tmp_path, tmp_path / "a.jpg"]) == [tmp_path / "a.jpg", tmp_path / "b.MP4"]
    (tmp_path / "none").mkdir()
    with pytest.raises(MediaError, match="no picture and no video"):
        find_media([tmp_path / "none"])
    with pytest.raises(MediaError, match="is not there"):
        find_media([tmp_path / "nothing.jpg"])


def test_the_command_keeps_on_over_a_broken_file_and_says_so(clip, tmp_path, draw_scene, capsys):
    cv2.imwrite(str(tmp_path / "one.jpg"), draw_scene((300, 230, 120)))
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "one.jpg").read_bytes()[:3000])
    out = tmp_path / "new" / "table.csv"
    words = ["analyze", str(tmp_path / "broken.jpg"), str(tmp_path / "one.jpg"), str(clip), "--every", "1", "--out"]
    assert main([*words, str(out)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "broken.jpg cannot be read" in said
    assert "1 of 3 files could not be read" in said
    table = pd.read_csv(out)
    assert table["file"].unique().tolist() == [str(tmp_path / "one.jpg"), str(clip)]
    told = json.loads((out.parent / "table.csv.about.json").read_text())
    assert [file.get("frames") for file in told["files"]] == [0, 1, 3]
    assert told["model"]["name"] == DEFAULT_MODEL and len(told["model"]["sha256"]) == 64
    assert main([*words, str(out)]) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_a_table_is_written_in_the_format_of_its_name(tmp_path, draw_scene, suffix):
    cv2.imwrite(str(tmp_path / "one.png"), draw_scene((300, 230, 120)))
    for name in ("a.csv", f"a.{suffix}"):
        assert main(["analyze", str(tmp_path / "one.png"), "--out", str(tmp_path / name)]) == 0
    read = {"json": pd.read_json, "jsonl": partial(pd.read_json, lines=True), "parquet": pd.read_parquet}[suffix]
    table, expected = read(tmp_path / f"a.{suffix}"), pd.read_csv(tmp_path / "a.csv")
    assert list(table) == list(expected)
    np.testing.assert_allclose(table[list(LABELS)], expected[list(LABELS)])
    for name in ("uncertain", "valid"):
        assert table[name].tolist() == (expected[name] == "yes").tolist()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"one.png", "a.csv", f"a.{suffix}", "a.csv.about.json", f"a.{suffix}.about.json"}


def test_a_table_of_another_format_is_refused(tmp_path, draw_scene, capsys):
    cv2.imwrite(str(tmp_path / "one.png"), draw_scene())
    assert main(["analyze", str(tmp_path / "one.png"), "--out", str(tmp_path / "a.docx")]) == 1
    assert "A table ends in .csv" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_ends_it_quietly(clip):
    command = f"{sys.executable} -m fer_core analyze {clip} {clip} {clip} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert done.stdout.startswith("file,frame,time_s,face")


def test_several_processes_write_what_one_writes(clip, tmp_path, draw_scene):
    broken, one, two = (tmp_path / name for name in ("broken.jpg", "one.jpg", "two.png"))
    cv2.imwrite(str(one), draw_scene((300, 230, 120)))
    cv2.imwrite(str(two), draw_scene((170, 240, 120), (470, 220, 150)))
    broken.write_bytes(one.read_bytes()[:3000])
    files = list(map(str, (clip, broken, two, one)))  # the first takes longest
    for name, words in (("a", []), ("b", ["--jobs", "2"])):
        copies = ["--annotated", str(tmp_path / name)]
        assert main(["analyze", *files, "--out", str(tmp_path / f"{name}.csv"), *copies, *words]) == 1
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    told = [json.loads((tmp_path / f"{name}.csv.about.json").read_text())["files"] for name in "ab"]
    assert told[0] == told[1] and "cannot be read" in told[0][1]["error"]
    assert (
        len({path.name for path in (tmp_path / "b").iterdir()} & {path.name for path in (tmp_path / "a").iterdir()})
        == 3
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "was killed, perhaps for want of memory"), (signal.SIGABRT, "crashed (SIGABRT)")],
)
def test_a_process_that_ends_unexpectedly_is_said_to_have_crashed_or_been_killed(recognizer, clip, number, said):
    def end_one(*_):
        for child in multiprocessing.active_children()[:1]:
            os.kill(child.pid, number)

    pool = processes.Processes(2, recognizer.name)
    with pytest.raises(MediaError) as error:
        processes.analyze_in_processes(pool, recognizer, {"clip": clip}, io.StringIO(), Choices(), end_one)
    assert said in str(error.value)


def test_processes_that_cannot_begin_say_why(recognizer, clip, tmp_path):
    pool = processes.Processes(2, str(tmp_path / "no-model"))
    with pytest.raises(MediaError, match=r"could not begin: .*no-model"):
        processes.analyze_in_processes(pool, recognizer, {"clip": clip}, io.StringIO(), Choices(), lambda *_: None)


@pytest.mark.parametrize(("number", "words"), [(signal.SIGINT, []), (signal.SIGTERM, ["--jobs", "2"])])
def test_an_interrupted_analysis_keeps_its_rows_and_leaves_nothing_half_written(tmp_path, clip, number, words):
    out, files = tmp_path / "a.csv", [tmp_path / f"{index}.mp4" for index in range(30)]
    for path in files:
        shutil.copy(clip, path)
    command = [
        sys.executable,
        "-m",
        "fer_core",
        "analyze",
        *files,
        "--out",
        out,
        "--annotated",
        tmp_path / "copies",
        *words,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not out.exists() or len(out.read_bytes().splitlines()) < 20:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"Interrupted. The rows until then are in {out}".replace(" ", "") in "".join(errors.split())
    assert len(pd.read_csv(out)) >= 19
    assert not list(tmp_path.rglob(".partial*"))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_video_that_is_cut_off_is_said_to_be(recognizer, tmp_path, draw_scene, suffix):
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    with av.open(str(whole), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 640, 480, "yuv420p", 5
        for index in range(60):
            frame = av.VideoFrame.from_ndarray(draw_scene((150 + 3 * index, 230, 120)), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) * 6 // 10])
    files = {path.name: path for path in (whole, cut)}
    outcomes = analyze_files(recognizer, files, io.StringIO(), Choices(every_s=1.0, annotated=tmp_path / "copies"))
    assert "error" not in outcomes[0]
    assert "cut off after" in outcomes[1]["error"] or "damaged after" in outcomes[1]["error"]
    assert 1 < outcomes[1]["frames"] < 6
    with open_video(copy_path(cut, tmp_path / "copies")) as copy:
        assert len(list(copy.frames())) == outcomes[1]["frames"]


@pytest.mark.parametrize("suffix", [".tif", ".avif"])
def test_a_folder_gives_pictures_of_all_formats(recognizer, tmp_path, draw_scene, suffix):
    Image.fromarray(draw_scene((300, 230, 120))[:, :, ::-1]).save(tmp_path / f"one{suffix}")
    (path,) = find_media([tmp_path])
    frames, table = table_of(recognizer, path)
    assert frames == len(table) == 1 and table["time_s"].isna().all()


def test_another_label_set_has_its_own_scores_threshold_and_metadata(three_label_sets, tmp_path, draw_scene):
    cv2.imwrite(str(tmp_path / "one.jpg"), draw_scene((300, 230, 120)))
    scores = {}
    for label_set in ("fer", "votes"):
        out = tmp_path / f"{label_set}.csv"
        words = ["analyze", str(tmp_path / "one.jpg"), "--model", str(three_label_sets), "--out", str(out)]
        assert main([*words, "--labels-of", label_set]) == 0
        model = json.loads((tmp_path / f"{label_set}.csv.about.json").read_text())["model"]
        calibration = EmotionRecognizer(three_label_sets).card.calibration_of(label_set)
        assert (model["label_set"], model["uncertain_below"]) == (label_set, calibration.uncertain_below)
        (row,) = csv.DictReader(out.read_text().splitlines())
        scores[label_set] = [float(row[label]) for label in LABELS]
        assert row["uncertain"] == ("yes" if max(scores[label_set]) < calibration.uncertain_below else "no")
    assert scores["fer"] != scores["votes"]


def test_a_label_set_that_the_model_lacks_is_an_error_in_words(tmp_path, draw_scene, capsys):
    cv2.imwrite(str(tmp_path / "one.jpg"), draw_scene())
    assert main(["analyze", str(tmp_path / "one.jpg"), "--model", "seed-cnn", "--labels-of", "votes"]) == 1
    assert "no scores for the label set 'votes'" in capsys.readouterr().err


def test_the_table_goes_to_the_standard_output_alone(tmp_path, draw_scene, capsys):
    cv2.imwrite(str(tmp_path / "one.jpg"), draw_scene((300, 230, 120)))
    assert main(["analyze", str(tmp_path)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 1 and rows[0]["expression"] in LABELS


def test_copies_of_one_name_are_refused_before_anything_is_done(tmp_path, draw_scene, capsys):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "one.jpg"), draw_scene())
    words = ["analyze", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "t.csv")]
    assert main([*words, "--annotated", str(tmp_path / "out")]) == 1
    assert "files of one name" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("every", ["-1", "nan", "inf", "often"])
def test_a_span_of_time_must_be_one(every, capsys):
    assert main(["analyze", "x.mp4", "--every", every]) == 2
    assert "--every" in capsys.readouterr().err
