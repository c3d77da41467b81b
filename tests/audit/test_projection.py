import numpy as np
import pytest

from fer_core.audit.projection import nearest, project_features


@pytest.fixture
def features() -> np.ndarray:
    """Two hundred faces in 16 features that vary most along the first two."""
    return (np.random.default_rng(0).normal(size=(200, 16)) * [9, 4, *[0.5] * 14]).astype(np.float32)


def test_the_map_shows_the_directions_of_most_variation(features):
    found = project_features(features)
    assert found.xy.shape == (200, 2) and found.xy.dtype == np.float32
    assert abs(np.corrcoef(found.xy[:, 0], features[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(found.xy[:, 1], features[:, 1])[0, 1]) > 0.99
    assert found.explained[0] > found.explained[1] > 0.1
    assert sum(found.explained) == pytest.approx((81 + 16) / (81 + 16 + 14 * 0.25), abs=0.03)


def test_permuted_faces_keep_their_places(features):
    order = np.random.default_rng(1).permutation(len(features))
    np.testing.assert_allclose(project_features(features[order]).xy, project_features(features).xy[order], atol=1e-3)


def test_nearest_is_by_cosine_and_without_the_face_itself(features):
    rows, cosine = nearest(features, 3, 5)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = np.argsort(-(unit @ unit[3]))
    assert rows.tolist() == [row for row in expected if row != 3][:5]
    assert np.all(np.diff(cosine) <= 0)


def test_a_copy_is_nearest(features):
    features[150] = 2 * features[3]
    rows, cosine = nearest(features, 3, 1)
    assert rows.tolist() == [150] and cosine == pytest.approx([1], abs=1e-5)


def test_no_more_than_there_are(features):
    assert len(nearest(features[:4], 0, 10)[0]) == 3


def test_features_of_zero_are_like_nothing(features):
    features[0] = 0
    assert nearest(features, 0, 3)[1].tolist() == [0, 0, 0]
    assert np.isfinite(nearest(features, 1, 199)[1]).all()
