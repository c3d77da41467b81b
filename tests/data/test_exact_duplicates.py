import numpy as np

from fer_core.data.exact_duplicates import exact_duplicates


def test_identical_images_are_grouped(images):
    found = exact_duplicates(images)
    assert [found.rows(number).tolist() for number in range(len(found))] == [[5, 9, 200], [7, 8]]


def test_one_pixel_off_by_one_is_another_image(images):
    images[9, 20, 20] ^= 1
    assert exact_duplicates(images).rows(0).tolist() == [5, 200]


def test_different_images_have_no_groups(drawn):
    assert len(exact_duplicates(drawn.images)) == 0


def test_permuted_rows_give_the_same_groups(images):
    order = np.random.default_rng(0).permutation(len(images))
    found = exact_duplicates(images[order])
    assert {frozenset(order[found.rows(number)].tolist()) for number in range(len(found))} == {
        frozenset({5, 9, 200}),
        frozenset({7, 8}),
    }


def test_no_images_are_no_groups():
    assert len(exact_duplicates(np.empty((0, 48, 48), np.uint8))) == 0
