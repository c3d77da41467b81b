"""Archives as the command line makes them: parts, a manifest, and what a second start does."""

import errno
import json
import os
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fer_core.archive import parts, tasks
from fer_core.archive.parts import analyze_source
from fer_core.background.locks import take
from fer_core.cli import main
from fer_core.media.analysis import analyze_files
from fer_core.media.table_formats import write_table
from tests.archive.conftest import done_in, manifest_of, rows_of, write_clip


@pytest.fixture
def analyzed(monkeypatch):
    """The names of the files that were analysed, as they come."""
    names = []

    def analyze(work, file, *arguments):
        names.append(file)
        return analyze_source(work, file, *arguments)

    monkeypatch.setattr(tasks, "analyze_source", analyze)
    return names


def test_the_parts_hold_the_rows_of_the_one_table(media, capsys):
    with zipfile.ZipFile(media / "d.zip", "w") as archive:
        archive.write(media / "b.jpg", "inside/b.jpg")
    files = ["media/a.jpg", "media/broken.jpg", "media/c.mp4", "media/d.zip"]
    assert main(["analyze", *files, "--out", "whole.parquet"]) == 1
    assert main(["analyze", *files, "--out", "archive/"]) == 1
    output = capsys.readouterr()
    assert "3 of 4 files are done" in output.out and output.err.count("broken.jpg cannot be read") == 2
    whole = pd.read_parquet("whole.parquet").sort_values(["file", "frame", "face"], ignore_index=True)
    pd.testing.assert_frame_equal(rows_of(Path("archive")), whole)
    assert set(whole["file"]) == {"media/a.jpg", "media/c.mp4", "media/d.zip/inside/b.jpg"}


def test_the_manifest_knows_what_became_of_each_file(media):
    assert main(["analyze", "media", "--out", "archive/"]) == 1
    entries = manifest_of(Path("archive"))
    assert {file: entry["state"] for file, entry in entries.items()} == {
        "media/a.jpg": "done",
        "media/b.jpg": "done",
        "media/broken.jpg": "failed",
        "media/c.mp4": "done",
    }
    assert "cannot be read" in entries["media/broken.jpg"]["reason"] and entries["media/broken.jpg"]["part"] is None
    assert (entries["media/c.mp4"]["frames"], entries["media/c.mp4"]["rows"]) == (4, 4)
    assert (entries["media/b.jpg"]["frames"], entries["media/b.jpg"]["rows"]) == (1, 2)
    assert entries["media/a.jpg"]["size_bytes"] == (media / "a.jpg").stat().st_size
    parts = {path.name for path in Path("archive/parts").iterdir()}
    assert parts == {entry["part"] for entry in entries.values() if entry["state"] == "done"}
    about = json.loads(Path("archive/about.json").read_text())
    assert len(about["model"]["sha256"]) == 64 and about["every_s"] == 0


def test_a_second_start_does_what_is_missing_changed_or_failed(media, analyzed, draw_scene, capsys):
    command = ["analyze", "media", "--out", "archive/"]
    assert main(command) == 1
    assert analyzed == ["media/a.jpg", "media/b.jpg", "media/broken.jpg", "media/c.mp4"]
    analyzed.clear()
    (media / "broken.jpg").write_bytes((media / "a.jpg").read_bytes())
    write_clip(media / "c.mp4", draw_scene, frames=2)
    (Path("archive/parts") / manifest_of(Path("archive"))["media/a.jpg"]["part"]).unlink()
    write_clip(media / "new.mp4", draw_scene, frames=1)
    assert main(command) == 0
    assert sorted(analyzed) == ["media/a.jpg", "media/broken.jpg", "media/c.mp4", "media/new.mp4"]
    assert rows_of(Path("archive"))["file"].value_counts().to_dict() == {
        "media/a.jpg": 1,
        "media/b.jpg": 2,
        "media/broken.jpg": 1,
        "media/c.mp4": 2,
        "media/new.mp4": 1,
    }
    analyzed.clear()
    capsys.readouterr()
    assert main(["analyze", "media/a.jpg", "--out", "archive"]) == 0
    assert not analyzed and "1 of 1 files are done, 1 from before" in capsys.readouterr().out
    assert len(manifest_of(Path("archive"))) == 5  # those that were not named are still known


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--every", "0.5"], "every_s was 0.0 and is 0.5 now"),
        (["--end", "2"], "end_s was the end and is 2.0 now"),
        (["--model", "compact"], "model was people"),
        (["--labels-of", "fer"], "label set fer"),
    ],
)
def test_rows_of_two_kinds_are_not_mixed(media, capsys, options, message):
    assert main(["analyze", "media/a.jpg", "--out", "archive/"]) == 0
    before = manifest_of(Path("archive"))
    assert main(["analyze", "media/b.jpg", "--out", "archive/", *options]) == 1
    error = capsys.readouterr().err
    assert message in error and "choose a new folder" in error
    assert manifest_of(Path("archive")) == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-", "--out", "archive/"], 1, "save it to a file"),
        (["media", "--out", "archive/", "--annotated", "copies"], 1, "--annotated does not go with a folder"),
        (["media", "--out", "media"], 1, "holds other files"),
        (["media", "--out", "table.csv", "--cluster", "local"], 2, "needs a folder as --out"),
        (
            ["media", "--out", "archive/", "--jobs", "2", "--cluster", "tcp://127.0.0.1:1"],
            1,
            "started with `dask worker`",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(media, capsys, arguments, code, message):
    assert main(["analyze", *arguments]) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("archive").exists() and not Path("media/parts").exists()


def test_a_file_that_ends_the_program_comes_last_the_next_time(media, analyzed, monkeypatch):
    def crash(work, file, *arguments):
        raise RuntimeError(file)

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "analyze_source", crash)
        with pytest.raises(RuntimeError, match="media/a.jpg"):
            main(["analyze", "media", "--out", "archive/"])
    assert {entry["state"] for entry in manifest_of(Path("archive")).values()} == {"waiting"}
    assert main(["analyze", "media", "--out", "archive/"]) == 1
    assert analyzed == ["media/b.jpg", "media/broken.jpg", "media/c.mp4", "media/a.jpg"]


def test_a_disk_that_is_full_stops_it_with_what_is_done(media, analyzed, monkeypatch, capsys):
    def write(csv, path):
        if len(analyzed) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_table(csv, path)

    with monkeypatch.context() as patched:
        patched.setattr(parts, "write_table", write)
        assert main(["analyze", "media", "--out", "archive/"]) == 1
    assert "No space left on device. Mend that, and start again" in capsys.readouterr().err
    assert done_in(Path("archive")) == {"media/a.jpg"}


def test_a_file_that_cannot_be_read_breaks_only_itself(media, monkeypatch):
    def analyze(recognizer, files, *arguments):
        if "media/b.jpg" in files:
            raise OSError(errno.EIO, "Input/output error")
        return analyze_files(recognizer, files, *arguments)

    monkeypatch.setattr(parts, "analyze_files", analyze)
    assert main(["analyze", "media", "--out", "archive/"]) == 1
    assert manifest_of(Path("archive"))["media/b.jpg"]["reason"] == "b.jpg cannot be read: Input/output error."
    assert done_in(Path("archive")) == {"media/a.jpg", "media/c.mp4"}


def test_a_file_that_changes_meanwhile_is_not_done(media, monkeypatch):
    def analyze(recognizer, files, *arguments):
        outcomes = analyze_files(recognizer, files, *arguments)
        with (media / "a.jpg").open("ab") as file:
            file.write(b"more")
        return outcomes

    with monkeypatch.context() as patched:
        patched.setattr(parts, "analyze_files", analyze)
        assert main(["analyze", "media/a.jpg", "--out", "archive/"]) == 1
    assert "changed while it was analysed" in manifest_of(Path("archive"))["media/a.jpg"]["reason"]
    assert main(["analyze", "media/a.jpg", "--out", "archive/"]) == 0


def test_two_commands_do_not_work_on_one_archive(media, capsys):
    assert main(["analyze", "media/a.jpg", "--out", "archive/"]) == 0
    lock = take(Path("archive/.lock"))
    try:
        assert main(["analyze", "media/b.jpg", "--out", "archive/"]) == 1
    finally:
        os.close(lock)
    assert "Another command works on" in capsys.readouterr().err


def test_the_example_of_the_document_runs(media, capsys):
    assert main(["analyze", "media", "--out", "archive/"]) == 1
    document = (Path(__file__).parents[2] / "docs" / "archives.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    exec(compile(example, "archives.md", "exec"), names := {})
    assert len(names["rows"]) == 1 + 2 + 4 and set(names["rows"]["file"]) == done_in(Path("archive"))
    assert names["manifest"]["state"].value_counts().to_dict() == {"done": 3, "failed": 1}
    assert "broken.jpg" in capsys.readouterr().out
