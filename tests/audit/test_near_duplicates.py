import cv2
import numpy as np
import pytest

from fer_core.audit.near_duplicates import near_duplicates
from fer_core.errors import DataError


def rows(pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def by_definition(images: np.ndarray, threshold: float) -> set[tuple[int, int]]:
    """All pairs by numpy's own correlation of images that OpenCV reduced."""
    reduced = [cv2.resize(image.astype(np.float64), (36, 36), interpolation=cv2.INTER_AREA) for image in images]
    correlation = np.corrcoef(np.reshape(reduced, (len(images), -1)))
    return set(zip(*(part.tolist() for part in np.nonzero(np.triu(correlation, 1) > threshold)), strict=True))


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9, 0.97])
def test_exactly_the_pairs_of_the_definition(drawn, threshold):
    noise = np.random.default_rng(1).normal(0, 12, drawn.images[:60].shape)
    images = np.concatenate([drawn.images, np.clip(drawn.images[:60] + noise, 0, 255).astype(np.uint8)])
    found = rows(near_duplicates(images, threshold))
    assert set(found) == by_definition(images, threshold)
    assert len(found) >= 30


def test_blocks_do_not_matter(drawn, monkeypatch):
    whole = near_duplicates(drawn.images, 0.9)
    monkeypatch.setattr("fer_core.audit.near_duplicates._BLOCK", 37)
    parts = near_duplicates(drawn.images, 0.9)
    assert rows(parts) == rows(whole)
    assert len(whole) > 0


def test_pairs_are_sorted(drawn):
    found = rows(near_duplicates(drawn.images, 0.9))
    assert found == sorted(found)


def test_brighter_and_flatter_is_the_same_picture(drawn):
    image = drawn.images[0]
    found = near_duplicates(np.stack([image, image // 2 + 90]))
    assert rows(found) == [(0, 1)]
    assert found.score[0] > 0.999


def test_the_negative_is_another_picture(drawn):
    assert len(near_duplicates(np.stack([drawn.images[0], 255 - drawn.images[0]]), threshold=0.1)) == 0


def test_images_of_one_gray_value_correlate_with_nothing():
    images = np.repeat(np.array([0, 0, 128, 255], np.uint8), 48 * 48).reshape(4, 48, 48)
    assert len(near_duplicates(images)) == 0


def test_permuted_rows_give_the_same_pairs(drawn):
    order = np.random.default_rng(0).permutation(len(drawn))
    permuted = near_duplicates(drawn.images[order], 0.9)
    assert {frozenset(order[list(pair)].tolist()) for pair in rows(permuted)} == {
        frozenset(pair) for pair in rows(near_duplicates(drawn.images, 0.9))
    }


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_have_no_pairs(drawn, count):
    assert len(near_duplicates(drawn.images[:count])) == 0


def test_progress_rises_to_one(drawn, monkeypatch):
    monkeypatch.setattr("fer_core.audit.near_duplicates._BLOCK", 37)
    seen = []
    near_duplicates(drawn.images, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1


def test_a_film_is_refused_in_words(drawn, monkeypatch):
    monkeypatch.setattr("fer_core.audit.near_duplicates._MOST_PAIRS", 100)
    with pytest.raises(DataError, match="nearly the same"):
        near_duplicates(np.repeat(drawn.images[:1], 20, axis=0))
