import dataclasses

import cv2
import numpy as np
import pytest

from fer_core.detection.haar import HaarDetector
from fer_core.errors import MediaError, SettingsError
from fer_core.recognition.baseline import Baseline
from fer_core.recognition.hysteresis import HysteresisSettings
from fer_core.recognition.pipeline import StreamAnalyzer, StreamSettings, analyze_image
from fer_core.types import Detections

FRAME = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8), (0, 0), 3)


class FixedDetector:
    """Sees the boxes (left, top, side) it is told to see, wherever it is asked to look."""

    def __init__(self, *boxes):
        self.boxes = boxes
        self.searches = self.looks = 0

    def propose(self, gray, area=None, half=None):
        self.searches += 1
        return self.detect(gray)

    def confirm(self, gray, places):
        return places

    def detect_around(self, gray, xyxy):
        self.looks += 1
        return self.detect(gray)

    def detect(self, gray):
        xyxy = np.array([(x, y, x + s, y + s) for x, y, s in self.boxes], np.float32).reshape(-1, 4)
        return Detections(xyxy, np.ones(len(xyxy), np.float32))


class FixedClassifier:
    """Gives every face the same scores and notes how many faces each call had, and for which label set."""

    labels = ("calm", "glad")

    def __init__(self, probs=(0.5, 0.5)):
        self.probs = probs
        self.calls = []
        self.label_sets = []

    def classify(self, faces, label_set=None):
        self.label_sets.append(label_set)
        assert faces.shape[1:] == (48, 48) and faces.dtype == np.uint8
        self.calls.append(len(faces))
        return np.tile(np.array(self.probs, np.float32), (len(faces), 1))


@pytest.fixture
def classifier():
    return FixedClassifier()


@pytest.fixture(scope="module")
def detector():
    return HaarDetector()


def counts(analyzer, images, fps):
    return np.array([len(analyzer.process(image, i / fps)) for i, image in enumerate(images)])


# Label sets


def test_a_stream_is_scored_for_the_label_set_of_its_settings_and_a_change_smooths_nothing_of_the_other():
    class ByLabelSet(FixedClassifier):
        def classify(self, faces, label_set=None):
            self.probs = (1.0, 0.0) if label_set == "fer" else (0.0, 1.0)
            return super().classify(faces, label_set)

    classifier = ByLabelSet()
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier, StreamSettings(smoothing_s=5.0))
    for index in range(3):
        analyzer.process(FRAME, index / 10)
    analyzer.settings = StreamSettings(smoothing_s=5.0, label_set="fer")
    result = analyzer.process(FRAME, 0.3)
    assert classifier.label_sets == [None, None, "fer"]  # a new face counts from its second frame on
    np.testing.assert_allclose(result.prediction.probs, [[1.0, 0.0]])


def test_a_second_label_set_is_scored_and_smoothed_beside_the_first_in_the_same_call():
    class ForTwo(FixedClassifier):
        fer = (0.0, 1.0)

        def classify_all(self, faces):
            return {"people": self.classify(faces), "fer": np.tile(np.array(self.fer, np.float32), (len(faces), 1))}

    classifier = ForTwo((1.0, 0.0))
    settings = StreamSettings(smoothing_s=0.5, label_set="people", second_label_set="fer")
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier, settings)
    results = [analyzer.process(FRAME, time_s) for time_s in (0.0, 0.1)]
    assert results[0].second is None  # no face yet
    assert (results[1].prediction.top, results[1].second.top) == (["calm"], ["glad"])
    classifier.fer = (1.0, 0.0)
    assert analyzer.process(FRAME, 0.2).second.probs[0, 1] == pytest.approx(np.exp(-0.1 / 0.5), abs=1e-5)
    assert classifier.calls == [1, 1]
    analyzer.settings = StreamSettings(label_set="people")
    assert analyzer.process(FRAME, 0.3).second is None
    with pytest.raises(SettingsError, match="second_label_set"):
        StreamSettings(second_label_set="fer")


def test_scores_of_faces_with_a_baseline_are_corrected_beside_the_raw_ones():
    class Neutral(FixedClassifier):
        labels = ("glad", "neutral", "low")

    glad_looking = (0.6, 0.3, 0.1)
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80), (300, 100, 80)), Neutral(glad_looking), StreamSettings())
    baseline = Baseline.of_frames(np.array([glad_looking]), Neutral.labels, [0.0])
    assert counts(analyzer, [FRAME] * 2, 10).tolist() == [0, 2]
    track_id = int(analyzer.process(FRAME, 0.2).track_id[1])
    analyzer.settings = dataclasses.replace(analyzer.settings, baselines={track_id: baseline, 99: baseline})
    result = analyzer.process(FRAME, 0.3)
    assert result.prediction.top == ["glad", "glad"]
    assert np.isnan(result.corrected[0]).all()
    np.testing.assert_allclose(result.corrected[1], (0.1, 0.8, 0.1), atol=1e-5)
    assert ["corrected" in face for face in result.to_dict()["faces"]] == [False, True]
    assert result.to_pandas()["corrected_neutral"].tolist() == pytest.approx([np.nan, 0.8], nan_ok=True)
    analyzer.settings = dataclasses.replace(analyzer.settings, baselines={99: baseline})
    assert analyzer.process(FRAME, 0.4).corrected is None


def test_labels_are_held_only_where_asked_for_and_scores_stay_as_they_are():
    classifier = FixedClassifier((0.55, 0.45))
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier, StreamSettings(smoothing_s=0.0))
    held = dataclasses.replace(analyzer.settings, hysteresis=HysteresisSettings(margin=0.3, hold_s=0.25))
    assert counts(analyzer, [FRAME] * 2, 10).tolist() == [0, 1]
    analyzer.settings = held
    assert analyzer.process(FRAME, 0.2).labels_to_show() == [0]
    classifier.probs = (0.4, 0.6)
    results = [analyzer.process(FRAME, time_s) for time_s in (0.3, 0.4, 0.5, 0.6)]
    assert [result.labels_to_show() for result in results] == [[0], [0], [0], [1]]
    assert {result.prediction.top[0] for result in results} == {"glad"}
    analyzer.settings = StreamSettings(smoothing_s=0.0)
    assert analyzer.process(FRAME, 0.7).shown is None


# One picture


def test_a_picture_gives_its_faces_numbered_from_zero(classifier):
    result = analyze_image(FRAME, FixedDetector((100, 100, 80), (300, 100, 60)), classifier)
    assert (result.index, result.time_s, result.size_wh) == (0, 0.0, (640, 480))
    assert result.track_id.tolist() == [0, 1]
    assert result.detections.xyxy[:, 0].tolist() == [100, 300]
    assert result.prediction.labels == ("calm", "glad")


def test_all_faces_of_a_picture_are_classified_in_one_call(classifier):
    analyze_image(FRAME, FixedDetector((100, 100, 80), (300, 100, 60), (450, 100, 60)), classifier)
    assert classifier.calls == [3]


def test_a_picture_without_a_face_asks_for_no_scores(classifier):
    result = analyze_image(FRAME, FixedDetector(), classifier)
    assert len(result) == 0 and result.prediction.probs.shape == (0, 2)
    assert classifier.calls == []


def test_color_and_gray_are_the_same_picture(detector, classifier, draw_scene):
    image = draw_scene((330, 240, 120))
    color = analyze_image(image, detector, classifier)
    gray = analyze_image(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), detector, classifier)
    np.testing.assert_array_equal(color.detections.xyxy, gray.detections.xyxy)
    assert len(color) == 1


@pytest.mark.parametrize("image", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4), np.int32)])
def test_another_kind_of_picture_is_refused(classifier, image):
    with pytest.raises(MediaError):
        analyze_image(image, FixedDetector(), classifier)
    with pytest.raises(MediaError):
        StreamAnalyzer(FixedDetector(), classifier).process(image, 0.0)


# A stream, with a detector and a classifier that do as they are told


def test_frames_are_counted_and_carry_their_time(classifier):
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier)
    results = [analyzer.process(FRAME, t) for t in (3.0, 3.1, 3.2)]
    assert [(r.index, r.time_s, len(r)) for r in results] == [(0, 3.0, 0), (1, 3.1, 1), (2, 3.2, 1)]


def test_all_faces_of_a_frame_are_classified_in_one_call(classifier):
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80), (300, 100, 60)), classifier)
    for t in (0.0, 0.1):
        analyzer.process(FRAME, t)
    assert classifier.calls == [2]


def test_scores_follow_with_the_time_constant(classifier):
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier, StreamSettings(smoothing_s=0.5))
    classifier.probs = 1.0, 0.0
    for t in (0.0, 0.1):
        analyzer.process(FRAME, t)
    classifier.probs = 0.0, 1.0
    for t in (0.2, 0.3, 0.4, 0.5, 0.6):
        result = analyzer.process(FRAME, t)
    assert result.prediction.probs[0] == pytest.approx([np.exp(-1), 1 - np.exp(-1)], abs=1e-5)


@pytest.mark.parametrize("fps", [5, 15, 60])
def test_smoothing_does_not_depend_on_the_frame_rate(classifier, fps):
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier, StreamSettings(smoothing_s=0.4))
    for i in range(2 * fps + 1):
        classifier.probs = (1.0, 0.0) if i <= fps else (0.0, 1.0)
        result = analyzer.process(FRAME, i / fps)
    assert result.prediction.probs[0, 0] == pytest.approx(np.exp(-1 / 0.4), abs=1e-4)


def test_without_smoothing_scores_are_the_networks(classifier):
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier, StreamSettings(smoothing_s=0.0))
    for i, probs in enumerate([(1.0, 0.0), (1.0, 0.0), (0.25, 0.75)]):
        classifier.probs = probs
        result = analyzer.process(FRAME, i / 15)
    assert result.prediction.probs.tolist() == [[0.25, 0.75]]


def test_smoothed_scores_stay_probabilities(classifier):
    rng = np.random.default_rng(0)
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80), (300, 100, 60)), classifier)
    for t in np.cumsum(rng.uniform(0.01, 0.3, 60)):
        classifier.probs = rng.dirichlet([1, 1])
        probs = analyzer.process(FRAME, t).prediction.probs
        assert probs.dtype == np.float32 and (probs >= 0).all()
        assert probs.sum(axis=1) == pytest.approx(np.ones(len(probs)), abs=1e-5)


def test_settings_may_be_replaced_while_it_runs(classifier):
    analyzer = StreamAnalyzer(FixedDetector((300, 100, 120), (100, 100, 80)), classifier)
    for t in (0.0, 0.1):
        both = analyzer.process(FRAME, t)
    analyzer.settings = StreamSettings(min_face_px=110)
    large = analyzer.process(FRAME, 0.2)
    assert (both.track_id.tolist(), large.track_id.tolist()) == ([0, 1], [0])


def test_known_faces_are_followed_without_searching_the_whole_frame_each_time(classifier):
    detector = FixedDetector((100, 100, 80))
    analyzer = StreamAnalyzer(detector, classifier)
    for i in range(46):
        analyzer.process(FRAME, i / 15)
    assert detector.searches == 3  # nothing changes: at the beginning, and after two seconds in two halves
    assert 13 <= detector.looks <= 22  # else it is followed by its picture


def test_a_thorough_stream_searches_and_looks_more_often(classifier):
    detector = FixedDetector((100, 100, 80))
    analyzer = StreamAnalyzer(detector, classifier, thorough=True)
    for i in range(61):
        analyzer.process(FRAME, i / 30)
    assert 7 <= detector.searches <= 9  # four times a second
    assert 15 <= detector.looks <= 25  # in two seconds; else it is followed by its picture


def test_a_thorough_stream_looks_at_every_frame_where_they_are_far_apart(classifier):
    detector = FixedDetector((100, 100, 80))
    analyzer = StreamAnalyzer(detector, classifier, thorough=True)
    for i in range(21):
        analyzer.process(FRAME, i / 10)
    assert detector.looks == 20


@pytest.mark.parametrize("jump_s", [-1.0, 5.0])
def test_a_jump_in_time_begins_anew(classifier, jump_s):
    analyzer = StreamAnalyzer(FixedDetector((100, 100, 80)), classifier)
    for t in (10.0, 10.1):
        analyzer.process(FRAME, t)
    assert len(analyzer.process(FRAME, 10.1 + jump_s)) == 0
    assert analyzer.process(FRAME, 10.2 + jump_s).track_id.tolist() == [1]


@pytest.mark.parametrize(
    "values",
    [{"hold_s": 0.6}, {"hold_s": -0.1}, {"smoothing_s": -1}, {"min_face_px": 0}, {"smoothing_s": float("nan")}],
)
def test_settings_out_of_range_are_refused_in_words(values):
    with pytest.raises(SettingsError, match=next(iter(values))):
        StreamSettings(**values)


# A stream, with the real detector


def test_a_face_that_wanders_is_one_face(detector, classifier, draw_scene):
    analyzer = StreamAnalyzer(detector, classifier)
    results = [
        analyzer.process(draw_scene((320 + 150 * np.sin(i / 12), 240 + 40 * np.cos(i / 9), 120)), i / 15)
        for i in range(75)
    ]
    assert [len(r) for r in results[1:]] == [1] * 74
    assert {int(i) for r in results for i in r.track_id} == {0}


def test_a_face_that_comes_closer_is_one_face(detector, classifier, draw_scene):
    analyzer = StreamAnalyzer(detector, classifier)
    results = [analyzer.process(draw_scene((320, 240, 60 * 1.03**i)), i / 15) for i in range(50)]
    assert [len(r) for r in results[1:]] == [1] * 49
    assert {int(i) for r in results for i in r.track_id} == {0}


def test_two_faces_that_pass_keep_their_numbers(detector, classifier, draw_scene):
    analyzer = StreamAnalyzer(detector, classifier)
    results = [analyzer.process(draw_scene((150 + 2 * i, 150, 90), (490 - 2 * i, 350, 110)), i / 15) for i in range(60)]
    assert all(len(r) == 2 for r in results[1:])
    assert {int(i) for r in results for i in r.track_id} == {0, 1}
    ends = {int(i): box[0] for i, box in zip(results[-1].track_id, results[-1].detections.xyxy, strict=True)}
    starts = {int(i): box[0] for i, box in zip(results[1].track_id, results[1].detections.xyxy, strict=True)}
    assert all((starts[i] < 300) == (ends[i] < 300) or abs(starts[i] - ends[i]) > 60 for i in (0, 1))


def test_a_fast_face_is_followed(detector, classifier, draw_scene):
    analyzer = StreamAnalyzer(detector, classifier)
    images = [draw_scene((320, 240, 120))] * 5 + [draw_scene((320 + 45 * i, 240, 120)) for i in range(6)]
    results = [analyzer.process(image, i / 15) for i, image in enumerate(images)]
    assert [r.track_id.tolist() for r in results[1:]] == [[0]] * 10
    assert results[-1].detections.xyxy[0, 0] == pytest.approx(545 - 60, abs=20)


@pytest.mark.parametrize("before", [(), ((170, 240, 120),)], ids=["none before", "beside another"])
def test_a_new_face_is_shown_within_two_thirds_of_a_second(detector, classifier, draw_scene, before):
    analyzer = StreamAnalyzer(detector, classifier)
    images = [draw_scene(*before)] * 75 + [draw_scene(*before, (460, 220, 110))] * 11
    shown = counts(analyzer, images, 15)
    assert (shown[1:75] == len(before)).all() and shown[-1] == len(before) + 1


def test_a_face_that_leaves_is_gone_within_half_a_second(detector, classifier, draw_scene):
    analyzer = StreamAnalyzer(detector, classifier)
    images = [draw_scene((540 + 25 * max(0, i - 5), 240, 120)) for i in range(14)] + [draw_scene()] * 15
    shown = counts(analyzer, images, 15)
    assert shown[1:7].tolist() == [1] * 6
    assert (shown[14:] == 0).all()  # the empty room shows none, from its first frame


def test_a_cut_to_an_empty_room_shows_no_face_from_the_next_frame(detector, classifier, draw_scene):
    analyzer = StreamAnalyzer(detector, classifier)
    shown = counts(analyzer, [draw_scene((330, 240, 120))] * 6 + [draw_scene()] * 12, 15)
    assert shown.tolist() == [0] + [1] * 5 + [0] * 12


def test_a_face_keeps_its_number_when_the_camera_lowers_its_resolution(detector, classifier, draw_scene):
    image = draw_scene((330, 240, 120))
    smaller = cv2.resize(image, (480, 360), interpolation=cv2.INTER_AREA)
    analyzer = StreamAnalyzer(detector, classifier)
    results = [analyzer.process(frame, i / 15) for i, frame in enumerate([image] * 3 + [smaller] * 3 + [image] * 3)]
    assert [r.track_id.tolist() for r in results[1:]] == [[0]] * 8
    assert results[5].size_wh == (480, 360)
    assert results[5].detections.xyxy[0] == pytest.approx(np.array([270, 180, 390, 300]) * 0.75, abs=12)


@pytest.mark.parametrize("fps", [12.5, 25])
def test_the_clip_shows_exactly_one_face_in_95_of_100_frames(detector, classifier, media_path, fps):
    frames = read_clip(media_path / "one_face.mp4")[:: round(25 / fps)]
    analyzer = StreamAnalyzer(detector, classifier)
    results = [analyzer.process(frame, i / fps) for i, frame in enumerate(frames)]
    assert np.mean([len(r) == 1 for r in results]) >= 0.95
    assert {int(i) for r in results for i in r.track_id} == {0}


def test_a_still_without_a_face_never_shows_one(detector, classifier, media_path):
    image = cv2.imread(str(media_path / "no_face.jpg"))
    for scale in (1, 4):
        frames = [cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)] * 60
        assert counts(StreamAnalyzer(detector, classifier), frames, 15).sum() == 0


def read_clip(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames
