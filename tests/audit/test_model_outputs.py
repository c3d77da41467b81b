import numpy as np

from fer_core.audit.model_outputs import ModelOutputs, compute_model_outputs


def model(faces):
    """Scores by brightness, features are the four quarters' means."""
    quarters = faces.reshape(len(faces), 2, 24, 2, 24).mean(axis=(2, 4)).reshape(len(faces), 4).astype(np.float32)
    probs = np.full((len(faces), 7), 0.1, np.float32)
    probs[:, 0] = 0.4
    return probs, quarters


def test_every_face_is_shown_once_and_in_order(images):
    done = []
    view = compute_model_outputs(images, model, lambda *at: done.append(at))
    np.testing.assert_allclose(view.features, model(images)[1])
    assert view.probs.shape == (300, 7)
    assert view.map.xy.shape == (300, 2)
    assert done == [(256, 300), (300, 300)]


def test_a_view_survives_being_kept(images):
    view = compute_model_outputs(images, model)
    again = ModelOutputs.from_arrays(view.to_arrays())
    np.testing.assert_allclose(again.features, view.features, rtol=1e-3)
    np.testing.assert_array_equal(again.map.xy, view.map.xy)
    assert again.map.explained == view.map.explained
