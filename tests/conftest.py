"""Fixtures that many tests share."""

import gc
import os
from fractions import Fraction
from pathlib import Path

# TensorFlow and libsrtp each bring a TLS library; loading libsrtp second crashes the interpreter. The app
# never loads TensorFlow, but these tests share one process with those that train.
import pylibsrtp  # noqa: F401
import pytest

from fer_core.dependencies import set_tensorflow_defaults

# What trains in this process is compared with what trains in one of its own.
set_tensorflow_defaults()

# They train, convert or export networks, load TensorFlow or start processes that do, or run whole pages again and
# again. `scripts/check --fast` leaves them out.
_SLOW = (
    "archive/test_cluster.py",
    "archive/test_segments.py",
    "evaluation/test_end_to_end.py",
    "experiments/test_job.py",
    "explain/test_gradcam.py",
    "media/test_job.py",
    "media/test_splitting.py",
    "models/architectures",
    "models/importing/test_importer.py",
    "models/importing/test_resizing.py",
    "models/test_convert.py",
    "models/test_ensemble.py",
    "models/test_registry.py",
    "pages",
    "service/test_workers.py",
    "sessions/test_faults.py",
    "training/loop",
    "training/run/test_process.py",
    "training/run/test_damage.py",
    "training/test_export.py",
    "training/test_growth.py",
    "training/test_model_commands.py",
    "training/test_start_from.py",
    "training/timing/test_throughput.py",
    "ui/components/test_jobs.py",
    "ui/components/test_saliency.py",
    "ui/live/test_webrtc.py",
    "ui/test_model_panels.py",
)
_SHARED = Path(__file__).parents[2] / "shared"


def _is_slow(path: Path) -> bool:
    slow = [Path(__file__).parent / name for name in _SLOW]
    assert not (gone := [str(file) for file in slow if not file.exists()]), f"marked slow, but gone: {gone}"
    return any(file in (path, *path.parents) for file in slow)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files that are slow as a whole unread where no slow test is wanted: reading some loads TensorFlow."""
    return True if "not slow" in config.option.markexpr and _is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests, among them those that read the whole of FER-2013."""
    for item in items:
        reads_it_all = {"fer2013", "fer2013_path"} & set(getattr(item, "fixturenames", ()))
        if reads_it_all or _is_slow(item.path):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Let the collection of garbage pass over what is loaded by now: with TensorFlow, a million objects each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def fer2013_path() -> Path:
    """The real data set's table; a test that needs it skips where it is not at hand."""
    path = Path(os.environ.get("FER2013_CSV", _SHARED / "fer2013" / "fer2013.csv.xz"))
    if not path.is_file():
        pytest.skip("FER-2013 is not at hand: set FER2013_CSV to the path of fer2013.csv (plain or compressed)")
    return path


@pytest.fixture(scope="session")
def fer2013(fer2013_path):
    """The whole of FER-2013, read once."""
    from fer_core.data.csv_reader import read_csv

    return read_csv(fer2013_path)


@pytest.fixture(scope="session")
def media_path() -> Path:
    """A folder with the clip and photos that some tests look at; they skip where it is not at hand."""
    path = Path(os.environ.get("FER_TEST_MEDIA", _SHARED / "media"))
    if not (path / "one_face.mp4").is_file():
        pytest.skip("the test clip is not at hand: set FER_TEST_MEDIA to a folder with one_face.mp4 and no_face.jpg")
    return path


@pytest.fixture(scope="session")
def draw_scene():
    """A function that draws a room with faces: draw_scene((x, y, side), ...) -> uint8 (480, 640, 3) BGR.

    Each face is scikit-image's public-domain portrait, the face centred at (x, y) with that side, in pixels.
    """
    from tests.scenes import scene_drawer

    return scene_drawer()


@pytest.fixture(scope="session")
def three_label_sets(tmp_path_factory):
    """The folder of a model with scores for three label sets, each with its own weights and calibration."""
    import keras

    from fer_core.emotions import LABELS
    from fer_core.models.calibration import Calibration
    from fer_core.models.card import ModelCard
    from fer_core.models.convert import save_bundle
    from fer_core.models.label_sets import LABEL_SETS
    from fer_core.models.registry import build
    from fer_core.models.weights import save_weights
    from tests.models.keras_files import faces, with_expressive_heads

    folder = tmp_path_factory.mktemp("three") / "three"
    keras.utils.set_random_seed(3)
    network = with_expressive_heads(build("small-cnn", label_sets=LABEL_SETS))
    card = ModelCard(
        "three",
        "small-cnn",
        network.count_params(),
        LABELS,
        data={"name": "fer2013.csv", "sha256": "ab", "images": {"Training": 1, "PublicTest": 1, "PrivateTest": 1}},
        label_sets=LABEL_SETS,
    )
    calibrations = {
        name: Calibration(temperature, uncertain_below=threshold, fitted_on="PublicTest", target=0.8)
        for name, temperature, threshold in zip(LABEL_SETS, (1.0, 2.0, 0.5), (0.31, 0.52, 0.2), strict=True)
    }
    folder.mkdir()
    save_bundle(network, card.with_calibrations(calibrations), folder, faces(), "float32")
    save_weights(network, folder)
    return folder


@pytest.fixture(scope="session")
def drawn():
    """Three hundred drawn faces, all different and none too faint to see."""
    import numpy as np

    from fer_core.data.demo import demo_set
    from fer_core.data.face_set import FaceSet

    faces = demo_set(320, seed=3)
    rows = np.flatnonzero(faces.images.std(axis=(1, 2)) > 15)[:300]
    return FaceSet(faces.images[rows], faces.labels[rows], faces.split[rows])


@pytest.fixture
def images(drawn):
    """The drawn faces with rows 5, 9 and 200 the same, and 7 and 8 the same."""
    images = drawn.images.copy()
    images[[9, 200]] = images[5]
    images[8] = images[7]
    return images


@pytest.fixture
def readers_files(tmp_path, monkeypatch, draw_scene):
    """A working folder with a reader's own photo and clip, for the examples in the documents."""
    import cv2

    from fer_core.imaging.video import write_video

    cv2.imwrite(str(tmp_path / "photo.jpg"), draw_scene((200, 240, 120), (460, 240, 110)))
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(4):
            writer.write(draw_scene((300, 240, 120)), index / 10)
    monkeypatch.chdir(tmp_path)
