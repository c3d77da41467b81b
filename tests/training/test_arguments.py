import argparse
import dataclasses
import shlex

import pytest

from fer_core.errors import RunError
from fer_core.training.arguments import (
    add_arguments,
    arguments_of,
    command_line,
    config_from_arguments,
)
from fer_core.training.config import (
    PRESETS,
    STANDARD_AUGMENTATION,
    Augmentation,
    RunConfig,
)
from fer_core.training.timing.device import best_precision


def parse(words: list[str]) -> RunConfig:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return config_from_arguments(parser.parse_args(words))


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
def test_the_options_say_the_whole_configuration(config):
    assert parse(arguments_of(config)) == config


def test_the_command_line_is_short_for_a_preset():
    assert command_line(PRESETS["quick"], "my run") == "python -m fer_core train --preset quick --run 'my run'"


def test_the_command_line_can_be_parsed_by_a_shell():
    config = dataclasses.replace(PRESETS["quick"], data="a b", epochs=2)
    assert parse(shlex.split(command_line(config))[4:]) == config


def test_options_change_a_preset():
    config = parse(["--preset", "seed-cnn", "--epochs", "2", "--flip", "0.5"])
    assert config == dataclasses.replace(PRESETS["seed-cnn"], epochs=2, augmentation=Augmentation(flip=0.5))


def test_auto_precision_is_what_is_fast_here():
    assert parse(["--precision", "auto"]).precision == best_precision()


def test_an_impossible_value_is_refused():
    with pytest.raises(RunError, match="epochs to be at least 1"):
        parse(["--epochs", "0"])


def test_help_can_be_shown(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    assert "2 to 15 %" in " ".join(capsys.readouterr().out.split())
