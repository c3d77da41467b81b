import numpy as np
import pytest

from fer_core.errors import MediaError
from fer_core.recognition.crop import crop_faces, to_gray


def test_gray_passes_as_it_is():
    image = np.zeros((5, 7), np.uint8)
    assert to_gray(image) is image


def test_bgr_becomes_gray_by_its_brightness():
    image = np.zeros((4, 6, 3), np.uint8)
    image[...] = 0, 0, 255  # red in BGR
    assert to_gray(image).shape == (4, 6)
    assert (to_gray(image) == 76).all()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8.*float32"),
        (np.zeros((4, 4, 4), np.uint8), r"BGR, got \(4, 4, 4\)"),
        (np.zeros((0, 4), np.uint8), r"got \(0, 4\)"),
        (None, "got NoneType"),
    ],
)
def test_another_kind_of_picture_is_refused_in_words(image, words):
    with pytest.raises(MediaError, match=words):
        to_gray(image)


def test_faces_come_out_in_the_networks_size_and_order():
    gray = np.zeros((200, 300), np.uint8)
    gray[:, 150:] = 255
    faces = crop_faces(gray, np.array([[10, 10, 110, 110], [180, 40, 240, 100]], np.float32))
    assert faces.shape == (2, 48, 48) and faces.dtype == np.uint8
    assert (faces[0] == 0).all() and (faces[1] == 255).all()


def test_no_box_gives_no_face():
    assert crop_faces(np.zeros((20, 20), np.uint8), np.empty((0, 4), np.float32)).shape == (0, 48, 48)


def test_the_crop_is_the_box_itself_without_a_margin():
    gray = np.zeros((100, 100), np.uint8)
    gray[26:74, 26:74] = 200
    assert (crop_faces(gray, np.array([[26, 26, 74, 74]], np.float32)) == 200).all()
