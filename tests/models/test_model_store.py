import pytest

from fer_core.errors import ModelError
from fer_core.models.bundle import (
    BUNDLED_ROOT,
    DEFAULT_MODEL,
    bundled_models,
    load_bundle,
)
from fer_core.models.model_store import (
    add_model,
    available_models,
    choose_model,
    chosen_model,
    folder_of,
    free_name,
    previous_model,
    put_live,
)

BUNDLED = BUNDLED_ROOT / DEFAULT_MODEL


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    return tmp_path


def test_a_fresh_machine_has_the_bundled_models_and_uses_the_default():
    assert available_models() == bundled_models()
    assert chosen_model() == DEFAULT_MODEL
    assert previous_model() is None


def test_a_model_put_live_is_available_and_chosen_and_the_previous_one_is_known():
    assert put_live(BUNDLED, "mine") == "mine"
    assert available_models() == (*bundled_models(), "mine")
    assert (chosen_model(), previous_model()) == ("mine", DEFAULT_MODEL)
    assert load_bundle(folder_of("mine")).content == load_bundle(BUNDLED).content


def test_one_can_go_back_and_forth():
    put_live(BUNDLED, "mine")
    choose_model(previous_model())
    assert (chosen_model(), previous_model()) == (DEFAULT_MODEL, "mine")


def test_choosing_the_chosen_one_again_does_not_forget_the_previous():
    put_live(BUNDLED, "mine")
    put_live(BUNDLED, "mine")
    assert previous_model() == DEFAULT_MODEL


def test_a_bundled_model_keeps_its_name():
    assert put_live(BUNDLED, DEFAULT_MODEL) == f"{DEFAULT_MODEL}-trained"
    assert folder_of(DEFAULT_MODEL) == BUNDLED


def test_another_network_of_the_same_name_stays_what_it_is():
    put_live(BUNDLED_ROOT / "seed-cnn", "mine")
    assert put_live(BUNDLED, "mine") == "mine-2"
    assert put_live(BUNDLED, "mine") == "mine-2", "the same network again needs no other name"
    assert load_bundle(folder_of("mine")).card.architecture == "seed-cnn"
    assert (chosen_model(), previous_model()) == ("mine-2", "mine")


def test_half_a_model_is_not_put_live(tmp_path):
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "card.json").write_bytes((BUNDLED / "card.json").read_bytes())
    with pytest.raises(ModelError, match="model.tflite is missing"):
        put_live(tmp_path / "half", "mine")
    assert chosen_model() == DEFAULT_MODEL


def test_what_is_gone_is_not_chosen(home):
    put_live(BUNDLED, "mine")
    (home / "models" / "mine" / "card.json").unlink()
    assert chosen_model() == DEFAULT_MODEL
    with pytest.raises(ModelError, match="No model is named 'mine'"):
        choose_model("mine")


def test_a_broken_choice_is_no_choice(home):
    put_live(BUNDLED, "mine")
    (home / "models" / "default.json").write_text("{")
    assert chosen_model() == DEFAULT_MODEL


def test_a_replaced_model_leaves_nothing_behind(home):
    put_live(BUNDLED, "mine")
    (home / "models" / "mine" / "old").touch()
    put_live(BUNDLED, "mine")
    assert sorted(path.name for path in (home / "models").rglob("*") if path.is_file()) == sorted(
        ["default.json", *(path.name for path in BUNDLED.iterdir())]
    )


def test_a_model_that_is_added_is_available_but_not_chosen():
    assert add_model(BUNDLED, "mine") == "mine"
    assert "mine" in available_models()
    assert chosen_model() == DEFAULT_MODEL


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("best.weights.h5", "best"),
        ("my net (1).keras", "my-net-1"),
        ("..h5", "model"),
        (f"{DEFAULT_MODEL}.h5", f"{DEFAULT_MODEL}-2"),
    ],
)
def test_a_files_name_becomes_one_that_no_model_has(file, name):
    assert free_name(file) == name


@pytest.mark.parametrize("name", ["../mine", "", ".mine", "a/b"])
def test_a_model_cannot_be_named_out_of_its_folder(name):
    with pytest.raises(ModelError, match="cannot name a model"):
        add_model(BUNDLED, name)
