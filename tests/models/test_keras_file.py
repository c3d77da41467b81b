"""A .keras file of this package opens in a program that has only Keras."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fer_core.models.keras_file import save_keras
from fer_core.models.registry import architectures, build
from tests.models.keras_files import outputs_of

# As anybody would open it: nothing but Keras is imported.
OPEN = """
import sys
import keras
import numpy as np

faces = np.load(sys.argv[1])
for path in sys.argv[2:]:
    network = keras.models.load_model(path)
    scores = network(faces, training=False)
    np.save(path + ".npy", keras.ops.convert_to_numpy(scores["scores"] if isinstance(scores, dict) else scores))
assert not [name for name in sys.modules if name.startswith("fer_core")], "this package was imported"
"""


@pytest.mark.slow
def test_plain_keras_opens_every_network_and_scores_alike(tmp_path):
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1)).astype(np.float32)
    np.save(tmp_path / "faces.npy", faces)
    networks = {name: build(name) for name in architectures()}
    networks["several"] = build("compact", label_sets=("people", "fer", "votes"))
    for name, network in networks.items():
        save_keras(network, tmp_path / f"{name}.keras")
    files = [str(tmp_path / f"{name}.keras") for name in networks]
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(tmp_path / "faces.npy"), *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "KERAS_BACKEND": "tensorflow"},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name, network in networks.items():
        expected = outputs_of(network, faces)
        expected = expected["scores"] if isinstance(expected, dict) else expected
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.keras.npy"), expected, atol=1e-4, err_msg=name)
