from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fer_core.detection import haar
from fer_core.detection.boxes import join
from fer_core.detection.haar import HaarDetector
from fer_core.errors import ModelError


@pytest.fixture(scope="module")
def detector():
    return HaarDetector()


@pytest.fixture(scope="module")
def gray(draw_scene):
    return lambda *faces: cv2.cvtColor(draw_scene(*faces), cv2.COLOR_BGR2GRAY)


def place(xyxy):
    left, top, right, bottom = xyxy
    return (left + right) / 2, (top + bottom) / 2, right - left


def tilted(image, tilt_deg):
    turn = cv2.getRotationMatrix2D((330, 240), tilt_deg, 1.0)
    return cv2.warpAffine(image, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("side", [60, 100, 160, 280])
def test_a_face_is_found_where_it_is(detector, gray, side):
    found = detector.detect(gray((330, 240, side)))
    assert len(found) == 1
    x, y, size = place(found.xyxy[0])
    assert (x, y) == pytest.approx((330, 240), abs=0.12 * side)
    assert size == pytest.approx(side, rel=0.2)


def test_two_faces_are_two(detector, gray):
    found = detector.detect(gray((170, 240, 120), (470, 220, 150)))
    assert sorted(place(box)[0] for box in found.xyxy) == pytest.approx([170, 470], abs=15)


@pytest.mark.parametrize(
    "draw",
    [
        lambda gray: gray(),
        lambda gray: np.zeros((480, 640), np.uint8),
        lambda gray: np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8),
    ],
    ids=["room", "black", "noise"],
)
def test_no_face_is_found_where_none_is(detector, gray, draw):
    assert len(detector.detect(draw(gray))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (10, 300), (23, 23)])
def test_a_picture_smaller_than_a_face_holds_none(detector, shape):
    image = np.zeros(shape, np.uint8)
    assert len(detector.detect(image)) == 0
    assert len(detector.detect_around(image, np.array([0, 0, 60, 60], np.float32))) == 0


def test_faces_under_the_smallest_size_are_left_out(gray):
    image = gray((330, 240, 70))
    assert len(HaarDetector(min_size_px=60).detect(image)) == 1
    assert len(HaarDetector(min_size_px=110).detect(image)) == 0


def test_boxes_of_a_large_picture_are_in_its_own_pixels(detector, gray):
    found = detector.detect(cv2.resize(gray((330, 240, 120)), None, fx=4, fy=4))
    assert place(found.xyxy[0]) == pytest.approx((1320, 960, 480), abs=70)


@pytest.mark.parametrize("tilt_deg", [-20, 20])
def test_a_tilted_head_is_found(detector, gray, tilt_deg):
    found = detector.detect(tilted(gray((330, 240, 120)), tilt_deg))
    assert [place(box) for box in found.xyxy] == [pytest.approx((330, 240, 120), abs=24)]


def found_in_frame(detector, image, half=None):
    return detector.confirm(image, detector.propose(image, None, half))


@pytest.mark.parametrize("tilt_deg", [0, -20, 20])
def test_a_stream_finds_upright_and_tilted_heads(detector, gray, tilt_deg):
    found = found_in_frame(detector, tilted(gray((330, 240, 120)), tilt_deg))
    assert [place(box) for box in found.xyxy] == [pytest.approx((330, 240, 120), abs=24)]


def test_both_halves_of_a_search_find_what_a_whole_one_finds(detector, gray):
    image = gray((170, 240, 52), (470, 220, 150))
    whole = detector.propose(image)
    halves = detector.propose(image, None, "small"), detector.propose(image, None, "large")
    assert len(found_in_frame(detector, image)) == 2
    assert [len(detector.confirm(image, places)) for places in (whole, join(list(halves)))] == [2, 2]
    assert [place(box)[0] for box in detector.confirm(image, halves[0]).xyxy] == [pytest.approx(170, abs=15)]
    assert pytest.approx(470, abs=20) in [place(box)[0] for box in detector.confirm(image, halves[1]).xyxy]


def test_a_part_of_a_frame_is_searched_in_the_pixels_of_the_whole(detector, gray):
    image = gray((170, 240, 120), (470, 220, 150))
    found = detector.confirm(image, detector.propose(image, (340, 80, 640, 360)))
    assert [place(box) for box in found.xyxy] == [pytest.approx((470, 220, 150), abs=24)]


def test_a_large_frame_is_reduced(gray):
    image = cv2.resize(gray((330, 240, 60)), None, fx=4, fy=4)
    assert [len(found_in_frame(HaarDetector(max_side_px=side), image)) for side in (1280, 160)] == [1, 0]


def test_a_place_that_moved_a_little_since_is_confirmed_where_it_is_now(detector, gray):
    found = detector.confirm(gray((348, 240, 120)), detector.propose(gray((330, 240, 120))))
    assert [place(box) for box in found.xyxy] == [pytest.approx((348, 240, 120), abs=18)]


def test_near_search_follows_a_face_that_moved_by_a_third(detector, gray):
    found = detector.detect_around(gray((330, 240, 120)), np.array([310, 220, 430, 340], np.float32))
    assert place(found.xyxy[0]) == pytest.approx((330, 240, 120), abs=18)


@pytest.mark.parametrize("tilt_deg", [-22, 22])
def test_near_search_sees_a_tilted_head(detector, gray, tilt_deg):
    image = tilted(gray((330, 240, 120)), tilt_deg)
    found = detector.detect_around(image, np.array([280, 170, 400, 290], np.float32))
    assert place(found.xyxy[0]) == pytest.approx((330, 240, 120), abs=24)


def test_near_search_finds_nothing_on_the_wall(detector, gray):
    assert len(detector.detect_around(gray((470, 240, 120)), np.array([60, 100, 180, 220], np.float32))) == 0


def test_near_search_works_at_the_edge(detector, gray):
    found = detector.detect_around(gray((55, 240, 100)), np.array([-10, 190, 90, 290], np.float32))
    assert place(found.xyxy[0]) == pytest.approx((55, 240, 100), abs=18)


def test_threads_that_share_a_detector_get_what_one_alone_gets(gray):
    detector = HaarDetector()
    images = [gray((200 + 10 * i, 240, 90 + 5 * i)) for i in range(6)]
    alone = [found_in_frame(detector, image).xyxy for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: found_in_frame(detector, image).xyxy, images * 4))
    for xyxy, expected in zip(together, alone * 4, strict=True):
        np.testing.assert_array_equal(xyxy, expected)


def test_many_threads_share_no_more_cascades_than_there_are_cores(gray, monkeypatch):
    monkeypatch.setattr(haar, "_cores", lambda: 2)
    detector, loaded, load = HaarDetector(), [], haar._load
    monkeypatch.setattr(haar, "_load", lambda name: loaded.append(name) or load(name))
    image = gray((330, 240, 120))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda image: len(found_in_frame(detector, image)), [image] * 12))
    assert found == [1] * 12 and len(loaded) <= 2  # the first pair was there already


def test_a_missing_cascade_is_an_error_that_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(cv2.data, "haarcascades", f"{tmp_path}/")
    with pytest.raises(ModelError, match="cascade is missing: expected .*haarcascade_frontalface_default.xml"):
        HaarDetector()


def test_a_broken_cascade_is_an_error_that_says_so(monkeypatch, tmp_path):
    (tmp_path / "haarcascade_frontalface_default.xml").write_text("<opencv_storage></opencv_storage>")
    monkeypatch.setattr(cv2.data, "haarcascades", f"{tmp_path}/")
    with pytest.raises(ModelError, match="cannot be read"):
        HaarDetector()


@pytest.mark.parametrize("sizes", [(10, 640), (48, 20)])
def test_sizes_below_the_cascades_window_are_refused(sizes):
    with pytest.raises(ValueError, match="min_size_px >= 24"):
        HaarDetector(*sizes)


def test_a_photo_without_a_face_has_none(detector, media_path):
    image = cv2.imread(str(media_path / "no_face.jpg"), cv2.IMREAD_GRAYSCALE)
    assert len(detector.detect(image)) == 0
    assert len(detector.detect(cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))) == 0


@pytest.mark.parametrize(("side", "columns", "rows"), [(80, 14, 12), (56, 16, 9), (200, 8, 6)])
def test_every_face_of_a_large_photo_is_found(detector, gray, side, columns, rows):
    cell = round(1.7 * side)
    one = gray((330, 240, side))[240 - cell // 2 :, 330 - cell // 2 :][:cell, :cell]
    found = detector.detect(np.tile(one, (rows, columns)))
    assert len(found) == columns * rows
    assert len({(int(x // cell), int(y // cell)) for x, y, _ in map(place, found.xyxy)}) == columns * rows


def test_no_face_is_found_in_a_large_picture_of_blots(detector):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 2000), np.uint8)
    blots = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 9), np.empty_like(noise), 0, 255, cv2.NORM_MINMAX)
    assert len(detector.detect(blots)) == 0


def test_a_face_needs_the_set_number_of_neighbors(gray):
    image = gray((330, 240, 100))
    assert [len(HaarDetector(min_neighbors=n).detect(image)) for n in (1, 2, 200)] == [1, 1, 0]
    with pytest.raises(ValueError, match="min_neighbors"):
        HaarDetector(min_neighbors=0)
