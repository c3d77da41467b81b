"""What earlier versions wrote stays readable: a card, a run, its history, a data set and a session of version 0.1.0."""

import json

import pytest

from fer_core.data.demo import demo_set
from fer_core.data.store import list_stores, open_store, write_store
from fer_core.emotions import LABELS
from fer_core.evaluation.serialization import card_calibration, card_results
from fer_core.legacy import with_current_keys
from fer_core.models.card import ModelCard
from fer_core.sessions.store import list_sessions
from fer_core.training.run.store import broken_runs, find_run, list_runs


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of its own for data sets, runs, models and sessions."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


_FIGURES = {
    "images": 14,
    "accuracy": 0.5,
    "accuracy_95": [0.27, 0.73],
    "macro_f1": 0.5,
    "by_label": {
        label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "images": 2, "support": 2, "predicted": 2}
        for label in LABELS
    },
    "confusion": [[1 if i in (j, (j + 1) % 7) else 0 for j in range(7)] for i in range(7)],
}
_CONFIG = {
    "data": "demo",
    "marks": "marks.csv",
    "label_set": "ferplus",
    "train_splits": ["Training"],
    "validation_splits": ["PublicTest"],
    "architecture": "compact",
    "epochs": 84,
    "start_size": 32,
    "growth": 0.6,
    "teacher": "compact",
}
_CARD = {
    "name": "mine",
    "architecture": "compact",
    "parameters": 1,
    "labels": list(LABELS),
    "data": {"name": "demo", "drawn": True, "sha256": "ab", "images": {"Training": 56, "PublicTest": 14}},
    "training": {**_CONFIG, "began_with": {"start_size": 40}},
    "metrics": {
        "PublicTest": {"protocol": "one view", **_FIGURES, "top2": 0.7, "log_loss": 1.0, "ferplus": _FIGURES},
        "whole_line": {"PublicTest": {"faces": 14, "found": 0.8, "extra": 0.0}},
    },
    "calibration": {
        "temperature": 1.3,
        "entropy_power": 0.1,
        "fitted_on": "PublicTest",
        "uncertain_below": 0.5,
        "target": 0.8,
        "by_split": {
            "PublicTest": {
                "images": 14,
                "ece_before": 0.1,
                "ece_after": 0.05,
                "answered": 0.8,
                "accuracy_answered": 0.9,
            }
        },
    },
    "files": {},
    "limits": [],
}


def test_a_card_of_before_keeps_its_figures(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(_CARD))
    card = ModelCard.load(tmp_path / "card.json")
    assert card.data["synthetic"] is True and card.label_sets == ("votes",)
    assert (card.training["initial_size"], card.training["progressive_resizing"]) == (32, 0.6)
    assert card.training["initial_weights"] == {"initial_size": 40}
    assert card.metrics["end_to_end"]["PublicTest"]["found"] == 0.8
    result = card_results(card)["PublicTest"]
    assert result.labels.one_view.accuracy == result.majority.one_view.accuracy == 0.5
    assert (card.calibration_of().temperature, card.calibration_of().uncertain_below) == (1.3, 0.5)
    split = card_calibration(card).by_split["PublicTest"]
    assert (split.coverage, split.accuracy_covered) == (0.8, 0.9)


def test_a_run_of_before_is_listed_with_its_configuration_and_history(home):
    run = find_run("old")
    run.path.mkdir(parents=True)
    run.config_file.write_text(json.dumps(_CONFIG))
    run.history_file.write_text(
        "epoch,accuracy,images_per_s,learning_rate,loss,seconds,val_accuracy,val_loss\n0,0.5,300,0.001,1.2,100,0.4,1.4\n"
    )
    run.status_file.write_text(
        '{"state": "stopped", "pid": 1, "time_s": 1.0, "epoch": 1, "step": 0, "steps_per_epoch": 0, "message": "", '
        '"since_s": 0.0, "device": "", "queue": ""}'
    )
    assert [listed.name for listed in list_runs()] == ["old"] and not broken_runs(list_runs())
    config = run.config()
    assert (config.initial_size, config.progressive_resizing, config.corrections) == (32, 0.6, "marks.csv")
    assert config.teachers == ("compact",)
    assert run.history()["val_accuracy"].tolist() == [0.4]
    assert run.status().state == "stopped"


def test_a_data_set_of_before_is_opened(home):
    faces = write_store(demo_set(70), "old")
    path = next((home / "datasets" / "old").glob("meta.json"))
    meta = json.loads(path.read_text())
    meta["source"]["drawn"] = meta["source"].pop("synthetic")
    meta.pop("vote_version", None)
    path.write_text(json.dumps(meta))
    assert open_store("old").hash == faces.hash and open_store("old").source.synthetic
    assert [info.problem for info in list_stores()] == [""]


def test_a_session_of_before_is_listed_and_read(home):
    folder = home / "sessions" / "2026-03-01 09.00.00"
    folder.mkdir(parents=True)
    (folder / "about.json").write_text(
        '{"program": "fer_core 0.1.0", "model": {"name": "seed-cnn", "label_set": "fer"}, '
        '"began_utc": "2026-03-01T09:00:00.000+00:00", "rows": 1, "smoothing_s": 0.5}'
    )
    (folder / "table.csv").write_text(
        f"file,frame,time_s,utc,face,left,top,right,bottom,expression,uncertain,{','.join(LABELS)}\n"
        "2026-03-01 09.00.00,0,0.001,2026-03-01T09:00:00.001+00:00,1,1.0,2.0,30.0,40.0,angry,no,1,0,0,0,0,0,0\n"
    )
    session = list_sessions()[0]
    assert session.metadata()["model"]["name"] == "seed-cnn"
    assert session.all_rows()["expression"].tolist() == ["angry"]
    assert session.table() == (folder / "table.csv").read_bytes().replace(
        b",1,0,0,0,0,0,0", b",1.0000" + b",0.0000" * 6
    )


@pytest.mark.parametrize(
    ("content", "current"),
    [
        ({"growth": 0.8, "progressive_resizing": 0.5}, {"progressive_resizing": 0.5}),
        ([{"drawn": True}, 3], [{"synthetic": True}, 3]),
        ("growth", "growth"),
    ],
)
def test_a_key_that_has_both_names_keeps_the_new_one(content, current):
    assert with_current_keys(content) == current


def test_deep_content_is_read_in_time_that_grows_with_its_size():
    content = {"growth": 0.8}
    for _ in range(40):
        content = {"metrics": content}
    assert with_current_keys(content)["metrics"]
