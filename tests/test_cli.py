"""The command line as a user meets it: exit codes and messages of real processes."""

import json
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

import fer_core
from fer_core import dependencies
from fer_core.cli import dashboard, main
from fer_core.errors import FerError
from fer_core.models.bundle import BUNDLED_ROOT, DEFAULT_MODEL
from fer_core.models.model_store import add_model, chosen_model


def write_table(path, rows: int = 3, pixels: str = "0 " * 2303 + "0") -> None:
    usages = ("Training", "PublicTest", "PrivateTest")
    path.write_text("emotion,pixels,Usage\n" + "".join(f"{i % 7},{pixels},{usages[i % 3]}\n" for i in range(rows)))


COMMANDS = (
    "app",
    "analyze",
    "classify",
    "clean",
    "evaluate",
    "explain",
    "prepare",
    "train",
    "suggest-corrections",
    "compare-cleaning",
    "seed-faults",
    "score-faults",
    "import",
    "export",
    "convert",
    "ensemble",
    "display",
    "serve",
    "doctor",
    "models",
    "runs",
)


def test_help_lists_the_commands_and_loads_nothing_heavy():
    code = (
        "import sys\nfrom fer_core.cli import main\nassert main(['--help']) == 0\n"
        "heavy = {'numpy', 'pandas', 'cv2', 'streamlit', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    listed = [line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"fer_core {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage"),
        (["nonesuch"], "No such command 'nonesuch'"),
        (["prepare", "fer2013.csv"], "Missing option '--out'"),
        (["analyze", "clip.mp4", "--every", "-1"], "'-1' is not a number of seconds"),
        (["analyze", "clip.mp4", "--smoothing", "inf"], "'inf' is not a number of seconds"),
    ],
)
def test_wrong_usage_is_explained_and_exits_with_2(arguments, message, capsys):
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert message in output.out + output.err


def test_an_interrupted_command_exits_with_130(monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fer_core.media.command.run_classify", interrupted)
    assert main(["classify", str(tmp_path)]) == 130


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--preset", "quick"],
        ["import", "model.keras"],
        ["convert", "model.h5", "--out", "model"],
        ["export", "compact", "--format", "onnx"],
    ],
)
def test_without_the_extra_a_command_says_what_to_install(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    monkeypatch.setattr(dependencies, "find_spec", lambda name: None)
    assert main(arguments) == 1
    message = capsys.readouterr().err
    assert re.fullmatch(r"Error: .+ needs keras.+ not installed\. Install with: pip install .+\n", message)
    assert 'pip install "fer-dashboard[train]"' in message


def test_prepare_writes_the_tree_of_the_original_script(tmp_path):
    write_table(tmp_path / "fer2013.csv", rows=21)
    assert main(["prepare", str(tmp_path / "fer2013.csv"), "--out", str(tmp_path / "out")]) == 0
    pictures = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert len(pictures) == 21
    assert "train/angry/im0.png" in pictures
    assert sum(picture.startswith("test/") for picture in pictures) == 14


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("emotion,pixel,Usage\n", "pixels is missing"),
        (f"emotion,pixels,Usage\n0,{'1 ' * 2302}1,Training\n", "row 0 (counted from 0): expected 2,304 pixels"),
        (f"emotion,pixels,Usage\n7,{'1 ' * 2303}1,Training\n", "row 0 (counted from 0): expected an emotion"),
        (f"emotion,pixels,Usage\n0,{'1 ' * 2303}1,Training\n0,1 1", "row 1 (counted from 0)"),
    ],
    ids=["wrong column", "2,303 pixels", "label 7", "truncated"],
)
def test_a_broken_table_is_named_by_its_row_and_fails(tmp_path, capsys, content, said):
    path = tmp_path / "fer2013.csv"
    path.write_text(content)
    assert main(["prepare", str(path), "--out", str(tmp_path / "out")]) == 1
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.rglob("*.png"))


def test_evaluate_prints_the_figures_as_json(tmp_path, capsys):
    write_table(tmp_path / "fer2013.csv", rows=30, pixels=" ".join(map(str, np.arange(2304) % 256)))
    assert main(["evaluate", "--data", str(tmp_path / "fer2013.csv"), "--split", "PublicTest", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures["splits"]) == ["PublicTest"]
    assert figures["splits"]["PublicTest"]["images"] == 10
    assert 0 <= figures["splits"]["PublicTest"]["accuracy"] <= 1


def test_a_missing_model_is_an_error_in_words(tmp_path, capsys):
    write_table(tmp_path / "fer2013.csv")
    assert main(["evaluate", "--model", "nonesuch", "--data", str(tmp_path / "fer2013.csv")]) == 1
    assert "No model is named 'nonesuch'" in capsys.readouterr().err


@pytest.mark.slow
def test_display_does_not_open_the_page_with_weights_it_cannot_convert(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"not weights")
    done = subprocess.run(
        [sys.executable, "-m", "fer_core", "display", "--weights", str(tmp_path / "model.h5")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "neither a .keras file nor HDF5" in done.stderr
    assert "was not converted" in done.stderr


def test_the_page_that_display_opens_has_the_same_home(tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(dashboard.subprocess, "run", lambda command, **options: given.update(options))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_HOME", "home")
    assert main(["display"]) == 0
    assert given["cwd"] != tmp_path
    assert given["env"]["FER_HOME"] == str((tmp_path / "home").resolve())


def test_the_app_opens_where_its_configuration_is(monkeypatch):
    given = {}
    monkeypatch.setattr(dashboard.subprocess, "run", lambda command, **options: given.update(options, command=command))
    assert main(["app", "--address", "0.0.0.0", "--port", "8600"]) == 0
    assert (given["cwd"] / ".streamlit" / "config.toml").is_file()
    assert given["command"][-4:] == ["--server.port", "8600", "--server.address", "0.0.0.0"]


def test_an_installed_package_brings_its_own_app(monkeypatch, tmp_path):
    monkeypatch.setattr(dashboard, "_PACKAGE", tmp_path / "fer_core")
    with pytest.raises(FerError, match="The app is missing"):
        dashboard.app_file()
    (tmp_path / "fer_core" / "app").mkdir(parents=True)
    (tmp_path / "app.py").touch()  # of something else in site-packages
    (tmp_path / "fer_core" / "app" / "app.py").touch()
    assert dashboard.app_file() == tmp_path / "fer_core" / "app" / "app.py"


@pytest.mark.parametrize("strict", [False, True])
def test_broken_images_are_counted_with_their_reason_and_strict_refuses_them(tmp_path, capsys, strict):
    folder = tmp_path / "train" / "happy"
    folder.mkdir(parents=True)
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 48), 60 * number, np.uint8))
    (folder / "broken.png").write_bytes(b"no picture")
    command = ["prepare", str(tmp_path), "--out", str(tmp_path / "out"), *(["--strict"] if strict else [])]
    assert main(command) == (1 if strict else 0)
    error = " ".join(capsys.readouterr().err.split())
    assert "1 of 3 images could not be read and was left out" in error and "broken.png" in error
    assert len(list((tmp_path / "out").rglob("*.png"))) == (0 if strict else 2)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"fer {fer_core.__version__}"


def test_models_are_listed_chosen_and_removed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    add_model(BUNDLED_ROOT / "seed-cnn", "mine")
    assert main(["models", "use", "mine"]) == 0
    assert main(["models", "list", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out.partition("\n")[2])}
    assert [name for name, entry in entries.items() if entry["in_use"]] == ["mine"]
    assert entries["people"]["bundled"] and not entries["mine"]["bundled"]
    assert main(["models", "remove", "mine", "--yes"]) == 0
    assert not (tmp_path / "models" / "mine").exists() and chosen_model() == DEFAULT_MODEL
    assert main(["models", "remove", "people", "--yes"]) == 1
    assert "people comes with the package" in capsys.readouterr().err


def test_a_damaged_model_does_not_hide_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    add_model(BUNDLED_ROOT / "seed-cnn", "mine")
    (tmp_path / "models" / "mine" / "card.json").write_text("{")
    assert main(["models", "list"]) == 0
    assert "mine" in capsys.readouterr().out
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "!!  model mine" in out and "fer models remove mine" in out
    assert main(["models", "remove", "mine", "--yes"]) == 0
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out.partition("\n")[2])}
    assert checks["model people"]["ok"] and "in use" in checks["model people"]["result"]
    assert str(tmp_path) in checks["folder"]["result"]


def test_a_file_that_is_no_model_is_refused_before_keras_is_loaded(tmp_path, capsys, monkeypatch):
    (tmp_path / "notes.keras").write_text("just some text")
    monkeypatch.setitem(sys.modules, "fer_core.models.importing.importer", None)  # importing it would fail
    assert main(["import", str(tmp_path / "notes.keras")]) == 1
    assert "neither a .keras file nor HDF5" in capsys.readouterr().err
