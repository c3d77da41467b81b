import cv2
import keras
import numpy as np
import pytest

from fer_core.models.importing.resizing import resize_bilinear


@pytest.mark.parametrize(("size", "share"), [(24, 0), (32, 0), (64, 0), (96, 0), (40, 0.02), (100, 0.02)])
def test_faces_are_resized_as_opencv_does(size, share):
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    given = keras.Input((48, 48, 1))
    network = keras.Model(given, resize_bilinear(given, size))
    resized = network.predict(faces[..., None].astype(np.float32), verbose=0)[..., 0]
    expected = np.stack([cv2.resize(face, (size, size)) for face in faces]).astype(np.float32)
    assert np.mean(resized != expected) <= share
    assert np.abs(resized - expected).max() <= 1
    assert network.count_params() == 0
