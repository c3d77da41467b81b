import dataclasses
import shlex

import pytest

from fer_core.cli import main, run_command
from fer_core.errors import RunError
from fer_core.training import command
from fer_core.training.arguments import arguments_of, choices, command_line, option_of
from fer_core.training.config import (
    PRESETS,
    STANDARD_AUGMENTATION,
    Augmentation,
    RunConfig,
)
from fer_core.training.timing.device import best_precision


@pytest.fixture
def parse(monkeypatch):
    """A function that returns the configuration that options of `train` give."""
    configs: list[RunConfig] = []
    monkeypatch.setattr(command, "measure", lambda config, open_faces, path: configs.append(config))

    def run(arguments: list[str]) -> RunConfig:
        run_command(["train", "--measure", "speed.json", *arguments])
        return configs.pop()

    return run


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(),
        *PRESETS.values(),
        dataclasses.replace(PRESETS["seed-cnn"], epochs=3, class_weighting=True),
        RunConfig(
            data="my faces",
            train_splits=("Training", "PublicTest"),
            validation_splits=("Test",),
            learning_rate=1.25e-7,
            augmentation=STANDARD_AUGMENTATION,
        ),
        RunConfig(augmentation=Augmentation(rotate_deg=7.5), ema=0.999, precision="mixed_bfloat16"),
        dataclasses.replace(PRESETS["compact-taught"], teachers=()),
        dataclasses.replace(PRESETS["compact-taught"], teachers=("first", "second run")),
    ],
)
def test_the_options_say_the_whole_configuration(config, parse):
    assert parse(arguments_of(config)) == config


def test_the_command_line_is_short_for_a_preset():
    assert command_line(PRESETS["quick"], "my run") == "python -m fer_core train --preset quick --run 'my run'"


def test_the_command_line_can_be_parsed_by_a_shell(parse):
    config = dataclasses.replace(PRESETS["quick"], data="a b", epochs=2)
    assert parse(shlex.split(command_line(config))[4:]) == config


def test_options_change_a_preset(parse):
    config = parse(["--preset", "seed-cnn", "--epochs", "2", "--flip", "0.5"])
    assert config == dataclasses.replace(PRESETS["seed-cnn"], epochs=2, augmentation=Augmentation(flip=0.5))


def test_auto_precision_is_what_is_fast_here(parse):
    assert parse(["--precision", "auto"]).precision == best_precision()


def test_an_impossible_value_is_refused(parse):
    with pytest.raises(RunError, match="epochs to be at least 1"):
        parse(["--epochs", "0"])


def test_former_names_of_options_still_work(parse):
    arguments = ["--start-size=32", "--architecture", "compact", "--growth", "0.5", "--marks", "marks.csv"]
    config = parse(arguments)
    assert (config.initial_size, config.progressive_resizing, config.corrections) == (32, 0.5, "marks.csv")


@pytest.mark.parametrize(
    "arguments", [["--epochs", "many"], ["--train-splits", "Training", "Tests"], ["--optimizer", "sdg"], ["--epoch"]]
)
def test_a_value_of_the_wrong_kind_is_wrong_usage(arguments, capsys):
    assert main(["train", *arguments]) == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.parametrize("field", [field for field, _ in choices()], ids=lambda field: field.name)
def test_help_states_every_choice_with_its_sentence(field, capsys):
    assert main(["train", "--help"]) == 0
    text = "".join(capsys.readouterr().out.split()).lower()  # lines break within words that have hyphens
    assert option_of(field.name) in text
    assert "".join(field.metadata["words"].split()).lower() in text


def test_help_states_defaults_and_values_but_no_former_names(capsys):
    assert main(["train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--erase N Share of faces in which a rectangle of noise covers 2 to 15 % (default: 0)" in text
    assert "--optimizer <adam|adamw|sgd-nesterov> Optimizer (default: adam)" in text
    assert "--growth" not in text
