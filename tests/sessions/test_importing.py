"""Sessions that earlier versions recorded as folders come in once and stay as they are on disk."""

import json
from datetime import timedelta

import numpy as np
import pytest

from fer_core.emotions import LABELS
from fer_core.recognition.baseline import Baseline
from fer_core.recognition.table import Table
from fer_core.sessions.importing import Imported, import_folders
from fer_core.sessions.store import list_sessions
from tests.sessions.recording import BEGAN, frame, record

NAME = "2026-03-01 12.00.00"
_BASELINE = {
    "face": 1,
    "from_s": 2.0,
    **Baseline.of_frames(frame(0).prediction.probs, LABELS, [1.0]).to_json(),
}


def write_folder(root, name=NAME, corrected=False, about=None):
    """Write what a recording of the version before the database left."""
    folder = root / name
    folder.mkdir(parents=True)
    with (folder / "table.csv").open("w", newline="") as file:
        table = Table(file, LABELS, 0.5, BEGAN, corrected)
        for index in range(4):
            result = frame(index, faces=index)
            if corrected and index == 3:
                probs = np.full((3, 7), np.nan, np.float32)
                probs[1] = 1 / 7
                object.__setattr__(result, "corrected", probs)
            table.add(name, result, 0.25 * index + 0.0004)
    about = about or {
        "program": "fer_core 0.1.0",
        "model": {"name": "people", "sha256": "ab", "label_set": "people"},
        "began_utc": BEGAN.isoformat(timespec="milliseconds"),
        "baselines": [_BASELINE] if corrected else [],
        "ended_utc": (BEGAN + timedelta(seconds=0.75)).isoformat(timespec="milliseconds"),
        "rows": 7,
        "smoothing_s": 0.3,
    }
    (folder / "about.json").write_text(json.dumps(about))
    return folder


@pytest.mark.parametrize("corrected", [False, True])
def test_a_folder_comes_in_digit_for_digit_and_stays(database, tmp_path, corrected):
    root = tmp_path / "old"
    folder = write_folder(root, corrected=corrected)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert import_folders(database, root) == Imported((NAME,), ())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (session,) = list_sessions(database)
    assert session.table() == before["table.csv"]
    assert (session.rows, session.frames, session.faces, session.length_s) == (7, 4, 3, 0.75)
    metadata, told = session.metadata(), json.loads(before["about.json"])
    assert {name: metadata[name] for name in told if told[name]} == {name: told[name] for name in told if told[name]}
    assert session.imported_from == str(folder)


def test_a_folder_is_imported_once_even_if_its_session_was_deleted(database, tmp_path):
    write_folder(tmp_path)
    write_folder(tmp_path, "2026-03-01 13.00.00")
    assert len(import_folders(database, tmp_path).names) == 2 and import_folders(database, tmp_path).names == ()
    list_sessions(database)[0].delete()
    assert import_folders(database, tmp_path).names == () and len(list_sessions(database)) == 1


def test_one_whose_name_is_taken_gets_another(database, tmp_path):
    record(database, [frame(0)])
    write_folder(tmp_path)
    import_folders(database, tmp_path)
    assert {session.name for session in list_sessions(database)} == {NAME, f"{NAME} (2)"}


def test_one_that_was_cut_off_keeps_its_whole_rows(database, tmp_path):
    folder = write_folder(tmp_path, about={"model": {"name": "m"}, "began_utc": BEGAN.isoformat()})
    table = folder / "table.csv"
    table.write_bytes(table.read_bytes()[:-20])
    import_folders(database, tmp_path)
    (session,) = list_sessions(database)
    assert session.rows == 6 and session.ended_utc is None and session.cut_off()


def test_one_without_metadata_comes_in_and_says_so_and_one_without_a_table_waits(database, tmp_path):
    (write_folder(tmp_path) / "about.json").write_text("{")
    (write_folder(tmp_path, "broken") / "table.csv").write_text("x\n1\n")
    imported = import_folders(database, tmp_path)
    (session,) = list_sessions(database)
    assert "about.json could not be read" in session.problem and session.began_utc == BEGAN
    assert session.metadata()["began_utc"].startswith("2026-03-01T12:00:00")
    assert imported.names == (NAME,) and "broken/table.csv could not be imported" in imported.problems[0]
