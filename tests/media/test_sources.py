"""What people name: folders of folders, patterns, archives, the standard input; and what it is written to."""

import io
import json
import subprocess
import sys
import zipfile

import cv2
import pandas as pd
import pytest

from fer_core import dependencies
from fer_core.cli import main
from fer_core.emotions import LABELS
from fer_core.errors import MediaError
from fer_core.media import sources
from fer_core.media.sources import find_media, open_media, unpack
from fer_core.media.table_formats import write_table


@pytest.fixture
def png(draw_scene):
    return cv2.imencode(".png", draw_scene((300, 230, 120)))[1].tobytes()


def archive(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def test_folders_in_folders_are_looked_into_on_request(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/b/one.jpg", "a/two.mp4", "a/.hidden.jpg", "a/notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert find_media([tmp_path / "a"]) == [tmp_path / "a" / "two.mp4"]
    assert find_media([tmp_path], recursive=True) == [tmp_path / "a" / "b" / "one.jpg", tmp_path / "a" / "two.mp4"]
    with pytest.raises(MediaError, match="--recursive"):
        find_media([tmp_path])


def test_a_pattern_that_the_shell_left_is_what_it_stands_for(tmp_path):
    for name in ("a1.jpg", "a2.jpg", "b1.jpg", "odd[1].jpg"):
        (tmp_path / name).write_bytes(b"")
    assert find_media([tmp_path / "a*.jpg"]) == [tmp_path / "a1.jpg", tmp_path / "a2.jpg"]
    assert find_media([tmp_path / "odd[1].jpg"]) == [tmp_path / "odd[1].jpg"]
    with pytest.raises(MediaError, match="is not there"):
        find_media([tmp_path / "c*.jpg"])


def test_an_archive_is_the_media_in_it(tmp_path, png):
    path = archive(tmp_path / "photos.zip", {"a/one.png": png, "two.PNG": png, "notes.txt": b"x"})
    with open_media([path], io.BytesIO()) as (files, errors):
        assert list(files) == [f"{path}/a/one.png", f"{path}/two.PNG"] and not errors
        assert all(file.read_bytes() == png for file in files.values())
        kept = list(files.values())
    assert not any(file.exists() for file in kept)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"../../evil.png": b"x"}, "evil"),
        ({"/etc/evil.png": b"x"}, "evil"),
        ({"notes.txt": b"x"}, "no picture and no video"),
        ({"bomb.png": bytes(64 << 20)}, "200 times"),
    ],
)
def test_an_archive_that_means_harm_or_nothing_is_refused(tmp_path, files, problem):
    (tmp_path / "in").mkdir()
    with pytest.raises(MediaError, match=problem):
        unpack(archive(tmp_path / "a.zip", files), "a.zip", tmp_path / "in")
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "in"}


def test_an_archive_has_its_limits(tmp_path, png, monkeypatch):
    path = archive(tmp_path / "a.zip", {f"{number}.png": png for number in range(4)})
    monkeypatch.setattr(sources, "MAX_ARCHIVE_FILES", 3)
    with pytest.raises(MediaError, match="more than 3 pictures"):
        unpack(path, "a.zip", tmp_path)
    monkeypatch.setattr(sources, "MAX_ARCHIVE_FILES", 9)
    monkeypatch.setattr(sources, "MAX_ARCHIVE_BYTES", 2 * len(png))
    with pytest.raises(MediaError, match="GB of pictures"):
        unpack(path, "a.zip", tmp_path)


def test_a_broken_archive_does_not_keep_the_others_from_it(tmp_path, png, capsys):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "one.png").write_bytes(png)
    out = tmp_path / "t.csv"
    assert main(["analyze", str(tmp_path / "broken.zip"), str(tmp_path / "one.png"), "--out", str(out)]) == 1
    assert "1 of 2 files could not be read" in " ".join(capsys.readouterr().err.split())
    assert pd.read_csv(out)["file"].tolist() == [str(tmp_path / "one.png")]


def test_from_the_standard_input_to_json_lines(png):
    command = [sys.executable, "-m", "fer_core", "analyze", "-", "--json"]
    done = subprocess.run(command, input=png, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (row,) = map(json.loads, done.stdout.splitlines())
    assert row["file"] == "-" and row["expression"] in LABELS and row["time_s"] is None
    assert row["valid"] is True and row["uncertain"] in (True, False)
    assert sum(row[label] for label in LABELS) == pytest.approx(1, abs=1e-3)


def test_json_goes_to_the_standard_output_alone(tmp_path, png, capsys):
    (tmp_path / "one.png").write_bytes(png)
    assert main(["analyze", str(tmp_path), "--json", "--out", str(tmp_path / "t.csv")]) == 1
    assert "--json writes to the standard output" in capsys.readouterr().err
    assert main(["analyze", str(tmp_path), "--out", "-"]) == 0
    assert capsys.readouterr().out.startswith("file,frame,time_s,face")


def test_a_table_for_excel(tmp_path):
    pytest.importorskip("openpyxl")
    csv = b"file,frame,face,valid,not_valid_because,uncertain,happy\na.png,0,1,no,dark,yes,0.5\n"
    write_table(csv, tmp_path / "t.xlsx")
    rows = pd.read_excel(tmp_path / "t.xlsx")
    assert rows.loc[0, ["face", "valid", "not_valid_because", "happy"]].tolist() == [1, False, "dark", 0.5]


def test_without_the_package_for_excel_nothing_is_begun(tmp_path, png, capsys, monkeypatch):
    (tmp_path / "one.png").write_bytes(png)
    monkeypatch.setattr(dependencies, "find_spec", lambda name: None)
    assert main(["analyze", str(tmp_path / "one.png"), "--out", str(tmp_path / "t.xlsx")]) == 1
    assert 'pip install "fer-dashboard[excel]"' in " ".join(capsys.readouterr().err.split())
    assert {path.name for path in tmp_path.iterdir()} == {"one.png"}
