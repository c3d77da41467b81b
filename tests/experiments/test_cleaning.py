"""Training with and without corrections: which runs there are, what is measured, and what is said about it."""

import dataclasses
import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.audit.corrections import Corrections
from fer_core.audit.corrections_file import change_corrections
from fer_core.cli import run_command
from fer_core.data.store import open_store
from fer_core.errors import DataError, RunError
from fer_core.evaluation.scoring import score_split
from fer_core.experiments import runs
from fer_core.experiments.cleaning import compare_cleaning, recipe_for
from fer_core.experiments.plan import ExperimentFolder, experiments_root, list_experiments
from fer_core.experiments.result import load_result
from fer_core.experiments.suggestions import suggest
from fer_core.experiments.text import lines_of, sentence
from fer_core.models.bundle import BUNDLED_ROOT, CARD_FILE, load_bundle
from fer_core.models.card import ModelCard
from fer_core.training.command import open_run_faces
from fer_core.training.config import PRESETS
from fer_core.training.run.store import find_run, list_runs

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CONFIG = dataclasses.replace(PRESETS["quick"], data="small", epochs=1)


class Trainer:
    """Stands in for the process of a run: the run gets a bundled model, another one if it has corrections."""

    def __init__(self):
        self.trained = []
        self.outcome = "finished"

    def launch(self, run):
        self.trained.append(run.name)
        config = run.config()
        run.write_status(self.outcome, message="Out of paper." if self.outcome == "failed" else "")
        if self.outcome != "finished":
            return
        shutil.copytree(BUNDLED_ROOT / ("compact" if config.corrections else "seed-cnn"), run.model_folder)
        card = ModelCard.load(run.model_folder / CARD_FILE)
        trained_on = open_run_faces(
            dataclasses.replace(config, corrections=str(run.corrections_file)) if config.corrections else config
        )
        dataclasses.replace(card, data={**card.data, "sha256": trained_on.hash}).save(run.model_folder / CARD_FILE)


@pytest.fixture
def trainer(monkeypatch):
    trainer = Trainer()
    monkeypatch.setattr(runs, "launch", trainer.launch)
    return trainer


def compare(seeds=(0, 1), corrections="auto", splits=(), config=CONFIG):
    return compare_cleaning(config, seeds, corrections, splits, lambda done, total, phase: None)


def exclude(faces, row):
    change_corrections("small", faces.hash, len(faces), lambda corrections: corrections.exclude([row], "", NOW))


def test_each_seed_is_trained_on_either_side(faces, trainer):
    result = compare()
    assert trainer.trained == [f"cleaning-small-{arm}-{seed}" for seed in (0, 1) for arm in ("original", "cleaned")]
    cleaned, original = find_run("cleaning-small-cleaned-1"), find_run("cleaning-small-original-1")
    assert dataclasses.replace(cleaned.config(), corrections="") == original.config()
    assert original.config() == dataclasses.replace(CONFIG, seed=1)
    assert "with its corrections, seed 1" in cleaned.note()
    assert result.training_faces == {"original": 112, "cleaned": 108}
    assert [(count.action, count.reason, count.training) for count in result.corrections] == [
        ("exclude", "blank image", 3),
        ("exclude", "copy of an image outside Training", 1),
    ]


def test_runs_that_are_finished_are_used_again(faces, trainer):
    first = compare()
    trainer.trained.clear()
    assert compare() == first
    assert trainer.trained == []
    assert compare((0, 1, 2)).seeds == (0, 1, 2)
    assert trainer.trained == ["cleaning-small-original-2", "cleaning-small-cleaned-2"]
    assert len(list_experiments()) == 1


def test_a_run_of_another_name_is_used_if_it_is_the_same(faces, trainer):
    run = find_run("mine")
    run.create(dataclasses.replace(CONFIG, seed=0))
    trainer.launch(run)
    assert compare((0,)).runs == {"original": ("mine",), "cleaned": ("cleaning-small-cleaned-0",)}


def test_other_corrections_are_another_comparison_that_shares_the_original_runs(faces, trainer):
    compare((0,))
    change_corrections(
        "small",
        faces.hash,
        len(faces),
        lambda none: none.exclude([5], "", __import__("datetime").datetime.now().astimezone()),
    )
    trainer.trained.clear()
    result = compare((0,), "saved")
    assert trainer.trained == ["cleaning-small-2-cleaned-0"]
    assert result.runs["original"] == ("cleaning-small-original-0",)
    assert result.training_faces == {"original": 112, "cleaned": 111}


def test_corrections_that_change_while_it_trains_do_not_matter(faces, trainer):
    suggest("small", apply=True)
    result = compare((0,), "saved")
    change_corrections("small", faces.hash, len(faces), Corrections.undo)
    held = find_run("cleaning-small-cleaned-0").corrections_file.read_text()
    assert held == ExperimentFolder(experiments_root() / "cleaning-small").corrections_file.read_text()
    assert sum(count.training for count in result.corrections) == 4


def test_a_run_that_failed_ends_the_comparison_and_goes_on_the_next_time(faces, trainer):
    trainer.outcome = "failed"
    with pytest.raises(RunError, match="'cleaning-small-original-0' did not finish. Out of paper."):
        compare()
    trainer.outcome = "finished"
    compare()
    assert trainer.trained.count("cleaning-small-original-0") == 2
    assert len(list_runs()) == 4


def test_an_interrupted_comparison_stops_its_run(faces, trainer, monkeypatch):
    stopped = []
    monkeypatch.setattr(trainer, "outcome", "running")
    monkeypatch.setattr(runs, "stop", lambda run: stopped.append(run.name))
    monkeypatch.setattr("fer_core.training.run.folder.is_held", lambda path: True)

    def interrupt(done, total, phase):
        if "epoch" in phase:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_cleaning(CONFIG, (0,), "auto", (), interrupt)
    assert stopped == ["cleaning-small-original-0"]


def test_accuracy_is_measured_on_the_same_uncorrected_faces(voted, trainer):
    result = compare((0,))
    faces = open_store("small")
    rows = faces.rows_of("PublicTest")
    measures = {measure.key: measure for measure in result.splits["PublicTest"]}
    for name, value in (("seed-cnn", measures["labels"].overall.before), ("compact", measures["labels"].overall.after)):
        probs = score_split(load_bundle(BUNDLED_ROOT / name), faces, "PublicTest").probs
        assert value == np.mean(probs.argmax(axis=1) == faces.labels[rows])
    assert (
        measures["labels"].overall.faces == measures["majority"].overall.faces == measures["clear"].overall.faces == 14
    )
    recalls = measures["labels"].by_label
    assert sum(change.faces for change in recalls.values()) == 14
    assert sum(change.difference * change.faces for change in recalls.values()) / 14 == pytest.approx(
        measures["labels"].overall.difference
    )


def test_faces_whose_copy_was_corrected_count_as_touched(faces, trainer):
    measures = {measure.key: measure for measure in compare((0,), splits=("PrivateTest",)).splits["PrivateTest"]}
    assert measures["labels"].overall.faces == 14
    assert measures["untouched"].overall.faces == 13  # the last one's copy in Training was excluded
    assert set(measures) == {"labels", "untouched"}  # nobody voted


def test_private_test_is_looked_at_only_if_asked_for(faces, trainer):
    config = dataclasses.replace(CONFIG, validation_splits=("PublicTest", "PrivateTest"))
    assert set(compare((0,), config=config).splits) == {"PublicTest"}
    with pytest.raises(DataError, match="not looked at unless"):
        compare((0,), config=dataclasses.replace(CONFIG, validation_splits=("PrivateTest",)))
    with pytest.raises(DataError, match="trained on"):
        compare((0,), splits=("Training",))


def test_nothing_is_trained_without_corrections_of_training_images(faces, trainer):
    with pytest.raises(DataError, match="No image of small is marked yet"):
        compare((0,), "saved")
    exclude(faces, 139)
    with pytest.raises(DataError, match="change no image in Training"):
        compare((0,), "saved")
    with pytest.raises(RunError, match="different seeds"):
        compare((1, 1))
    assert trainer.trained == []


def test_the_result_is_kept_and_read_again(voted, trainer):
    result = compare()
    folder = list_experiments()[0]
    assert load_result(folder) == result
    folder.result_file.write_text(folder.result_file.read_text()[:100])
    with pytest.raises(DataError, match="damaged"):
        load_result(folder)


def test_the_command_says_whether_a_difference_can_be_claimed(voted, trainer, capsys):
    run_command(
        [
            "compare-cleaning",
            "small",
            "--corrections",
            "auto",
            "--preset",
            "quick",
            "--epochs",
            "1",
            "--seeds",
            "0",
            "1",
        ]
    )
    said = capsys.readouterr().out
    assert "3 excluded: blank image" in said
    assert "1 relabelled: votes contradict the label" in said
    assert "Cleaning changed accuracy on the data set's labels by" in said
    assert "recall of happy" in said
    run_command(
        [
            "compare-cleaning",
            "small",
            "--corrections",
            "auto",
            "--preset",
            "quick",
            "--epochs",
            "1",
            "--seeds",
            "0",
            "1",
            "--json",
        ]
    )
    content = json.loads(capsys.readouterr().out)
    assert content["seeds"] == [0, 1]
    assert content["splits"]["PublicTest"][0]["key"] == "labels"


def test_a_sentence_claims_only_what_the_interval_shows(faces, trainer):
    measure = compare((0,)).splits["PublicTest"][0]
    change = dataclasses.replace(measure.overall, difference=0.02, low=0.01, high=0.03)
    assert sentence(dataclasses.replace(measure, overall=change), 3) == (
        "Cleaning changed accuracy on the data set's labels by +2.0 points (95 %: +1.0 to +3.0) over 3 seeds: the "
        "network got better."
    )
    change = dataclasses.replace(change, difference=-0.01, low=-0.03)
    said = sentence(dataclasses.replace(measure, overall=change), 1)
    assert said.endswith("over 1 seed: no difference can be claimed. Other seeds may give another result.")


def test_lines_warn_where_the_votes_were_trained_on(voted, trainer):
    assert lines_of(compare((0,)))[-1].startswith("Labels were corrected to what the voters saw")
    exclude(voted, 5)
    assert "voters" not in "\n".join(lines_of(compare((0,), "saved")))


def test_lines_show_every_measure(voted, trainer):
    text = "\n".join(lines_of(compare()))
    for title in ("untouched by corrections", "what most people saw", "faces that people agree on"):
        assert title in text


def test_a_recipe_is_validated_on_a_split_that_may_be_looked_at():
    seed_cnn = PRESETS["seed-cnn"]
    assert recipe_for(seed_cnn, ("Training", "PublicTest", "PrivateTest")).validation_splits == ("PublicTest",)
    assert recipe_for(seed_cnn, ("Training", "Validation", "Test")).validation_splits == ("Validation",)
    with pytest.raises(RunError):
        recipe_for(seed_cnn, ("Training", "Test"))
