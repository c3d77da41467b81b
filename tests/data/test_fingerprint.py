"""Fingerprints: images are recognized by their content, wherever they turn up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.face_set import FaceSet, hash_images
from fer_core.data.fingerprint import (
    FER2013_HASH,
    FINGERPRINT_FILE,
    content_fingerprint,
    fer2013_fingerprints,
    fingerprint_by_split,
    load_fingerprint,
    save_fingerprint,
)
from fer_core.errors import DataError


def test_a_fingerprint_recognizes_its_images_and_no_others(faces: FaceSet) -> None:
    known = content_fingerprint(faces.images[:200])
    np.testing.assert_array_equal(np.isin(hash_images(faces.images), known), np.arange(300) < 200)


def test_order_and_copies_do_not_matter(faces: FaceSet) -> None:
    shuffled = np.random.default_rng(0).permutation(np.concatenate([faces.images, faces.images[:9]]))
    np.testing.assert_array_equal(content_fingerprint(shuffled), content_fingerprint(faces.images))


def test_one_pixel_makes_another_image(faces: FaceSet) -> None:
    image = faces.images[:1].copy()
    image[0, 20, 20] ^= 1
    assert hash_images(image) != hash_images(faces.images[:1])


def test_a_saved_fingerprint_is_read_back(faces: FaceSet, tmp_path: Path) -> None:
    fingerprint = content_fingerprint(faces.images)
    assert save_fingerprint(tmp_path, fingerprint).name == FINGERPRINT_FILE
    np.testing.assert_array_equal(load_fingerprint(tmp_path), fingerprint)


@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY", b"no array"])
def test_a_broken_fingerprint_is_an_error_in_words(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / FINGERPRINT_FILE).write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        load_fingerprint(tmp_path)


def test_another_array_is_no_fingerprint(tmp_path: Path) -> None:
    np.save(tmp_path / FINGERPRINT_FILE, np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"expected uint64 \(n,\), found float64 \(2, 2\)"):
        load_fingerprint(tmp_path)


def test_the_fingerprints_of_fer2013_are_those_of_its_images(fer2013: FaceSet) -> None:
    assert fer2013.hash == FER2013_HASH
    for split, fingerprint in fingerprint_by_split(fer2013).items():
        np.testing.assert_array_equal(fer2013_fingerprints()[split], fingerprint)
    assert set(fer2013_fingerprints()) == {"Training", "PublicTest", "PrivateTest"}
