"""`python -m fer_core explain` as a user meets it."""

import subprocess
import sys

import numpy as np
import pytest

from fer_core.cli import main
from fer_core.explain.command import explain_file
from fer_core.models.bundle import load_bundle
from fer_core.models.classifier import LiteRTClassifier
from fer_core.models.model_store import folder_of
from tests.drawn_faces import demo_set


@pytest.fixture
def faces_path(tmp_path):
    np.save(tmp_path / "faces.npy", demo_set(70).images[:2])
    return tmp_path / "faces.npy"


def test_it_writes_both_maps_of_every_emotion_and_loads_no_tensorflow(faces_path, tmp_path):
    code = (
        "import sys\nfrom fer_core.cli import main\ncode = main(sys.argv[1:])\n"
        "sys.exit(code or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "explain",
            "--model",
            "seed-cnn",
            "--faces",
            str(faces_path),
            "--out",
            str(tmp_path / "maps.npz"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Wrote the maps of 2 faces" in done.stdout
    bundle = load_bundle(folder_of("seed-cnn"))
    with np.load(tmp_path / "maps.npz") as maps:
        assert tuple(maps["labels"]) == bundle.card.labels
        assert maps["gradcam"].shape == maps["occlusion"].shape == (2, 7, 48, 48)
        classifier = LiteRTClassifier.from_bundle(bundle)
        np.testing.assert_allclose(maps["scores"], classifier.classify(np.load(faces_path)), atol=1e-5)


def test_another_label_set_has_its_own_scores_and_maps(three_label_sets, faces_path, tmp_path):
    explained = {}
    for label_set in (None, "people", "fer"):
        explain_file(three_label_sets, faces_path, tmp_path / "maps.npz", label_set)
        with np.load(tmp_path / "maps.npz") as maps:
            explained[label_set] = {name: maps[name] for name in ("scores", "gradcam", "occlusion")}
    for name, array in explained["people"].items():
        np.testing.assert_array_equal(array, explained[None][name])
        assert np.abs(array - explained["fer"][name]).max() > 0.01


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 64, 64), np.uint8), "holds uint8 (2, 64, 64)"),
        (np.zeros((2, 48, 48), np.float32), "holds float32 (2, 48, 48)"),
        (np.zeros((0, 48, 48), np.uint8), "holds uint8 (0, 48, 48)"),
        (None, "is not a file of NumPy"),
    ],
    ids=["size", "type", "none", "no array"],
)
def test_other_faces_are_an_error_in_words(array, said, tmp_path, capsys):
    path = tmp_path / "faces.npy"
    if array is None:
        path.write_text("nothing of the kind")
    else:
        np.save(path, array)
    assert main(["explain", "--model", "seed-cnn", "--faces", str(path), "--out", str(tmp_path / "maps.npz")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "maps.npz").exists()


def test_faces_that_are_not_there_are_an_error_in_words(tmp_path, capsys):
    assert (
        main(
            [
                "explain",
                "--model",
                "seed-cnn",
                "--faces",
                str(tmp_path / "none.npy"),
                "--out",
                str(tmp_path / "maps.npz"),
            ]
        )
        == 1
    )
    assert "No such file" in capsys.readouterr().err
