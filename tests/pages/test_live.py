import dataclasses
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from skimage import data
from streamlit.testing.v1 import AppTest

from fer_core.models.bundle import load_bundle
from fer_core.settings import Settings
from fer_core.ui.live.seating import seats_of

pytestmark = pytest.mark.usefixtures("webrtc_without_a_server")

LIVE = Path(__file__).parents[2] / "pages" / "live.py"
TIMEOUT_S = 60


@pytest.fixture
def page(bundled_alone, monkeypatch):
    """The live page in a fresh session, with the bundled models alone."""
    monkeypatch.delenv("FER_ICE_SERVERS", raising=False)
    return AppTest.from_file(LIVE, default_timeout=TIMEOUT_S)


@pytest.fixture
def entered(page):
    """The live page after its notice."""
    return page.run().button(key="acknowledge").click().run()


def words_of(at):
    """All text and HTML on a page."""
    return " ".join(str(element.proto) for element in (*at.markdown, *at.get("html"), *at.error))


def png_of(image_bgr):
    return cv2.imencode(".png", image_bgr)[1].tobytes()


def choose_photo(at, name, content):
    at.segmented_control(key="source").set_value("Photo").run()
    return at.file_uploader(key="photo_file").set_value([(name, content, "image/png")]).run()


def test_the_notice_comes_first_and_names_the_measured_accuracy(page):
    page.run()
    assert not page.exception
    assert not page.get("html") or "fer-status" not in words_of(page)
    measured = load_bundle().card.metrics["PrivateTest"]["accuracy"]
    assert f"{measured * 100:.1f} %" in words_of(page)
    assert "Article 5(1)(f)" in words_of(page)
    assert "not feelings" in words_of(page)


def test_the_notice_is_acknowledged_once(entered):
    assert not entered.exception
    assert not [button for button in entered.button if button.key == "acknowledge"]
    assert not [button for button in entered.run().button if button.key == "acknowledge"]


def test_before_the_start_it_says_what_will_be_here(entered):
    words = words_of(entered)
    assert "not connected" in words
    assert "Faces appear here" in words
    assert "The last minute appears here" in words


def test_settings_reach_the_viewer_s_session_and_nobody_else_s(entered):
    other = AppTest.from_file(LIVE, default_timeout=TIMEOUT_S).run().button(key="acknowledge").click().run()
    entered.slider(key="live Smallest face").set_value(120).run()
    entered.toggle(key="live Mirror").set_value(False).run()
    entered.toggle(key="live Steady labels").set_value(False).run()
    mine, theirs = entered.session_state["live_session"], other.session_state["live_session"]
    assert mine is not theirs
    assert (mine.settings.stream.min_face_px, mine.settings.mirror) == (120, False)
    assert (theirs.settings.stream.min_face_px, theirs.settings.mirror) == (48, True)
    assert mine.settings.stream.hysteresis is None
    assert theirs.settings.stream.hysteresis.uncertain_below == theirs.settings.draw.threshold
    assert theirs.settings.draw.numbers
    recorded = mine.settings.recorded.values
    assert (recorded["min_face_px"], recorded["mirrored"], recorded["steady_labels"]) == (120, False, False)


def test_a_viewer_chooses_what_faces_are_scored_for_and_its_threshold_follows(page, monkeypatch, three_label_sets):
    monkeypatch.setenv("FER_MODEL", str(three_label_sets))
    at = page.run().button(key="acknowledge").click().run()
    choice = at.selectbox(key="label_set_three")
    assert choice.options == ["What people see", "FER-2013's labels", "Ten people's votes"]
    session = at.session_state["live_session"]
    assert (session.settings.stream.label_set, session.settings.draw.threshold) == ("people", 0.3)
    at.selectbox(key="second_label_set_three_people").select("votes").run()
    assert session.settings.stream.second_label_set == "votes"
    at.selectbox(key="label_set_three").select("fer").run()
    assert not at.exception and session.settings.stream.second_label_set is None
    assert at.session_state["live_session"] is session
    assert (session.settings.stream.label_set, session.settings.draw.threshold) == ("fer", 0.5)
    image_bgr = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    cards = {}
    for label_set in ("fer", "votes"):
        at.selectbox(key="label_set_three").select(label_set).run()
        choose_photo(at, "astronaut.png", png_of(image_bgr))
        cards[label_set] = next(str(html.proto) for html in at.get("html") if "data-faces" in str(html.proto))
    assert cards["fer"] != cards["votes"]


def test_the_default_model_scores_what_people_see(entered):
    assert entered.session_state["live_session"].settings.stream.label_set == "people"
    assert entered.selectbox(key="label_set_people").value == "people"


def test_a_model_of_one_label_set_offers_no_choice(page, monkeypatch):
    monkeypatch.setenv("FER_MODEL", "compact")
    entered = page.run().button(key="acknowledge").click().run()
    assert not [box for box in entered.selectbox if box.key.startswith("label_set")]
    assert entered.session_state["live_session"].settings.stream.label_set == "fer"


def test_whoever_looks_at_something_else_gets_a_new_stream(entered):
    class Worker:
        stopped = 0

        def stop(self):
            self.stopped += 1

    first, worker = entered.session_state["live_session"], Worker()
    entered.session_state[f"live_video_{first.id}"]._set_worker(worker)
    entered.run()
    assert entered.session_state["live_session"] is first
    assert not worker.stopped
    entered.segmented_control(key="source").set_value("Photo").run()
    entered.segmented_control(key="source").set_value("Camera").run()
    second = entered.session_state["live_session"]
    assert second is not first
    assert f"live_video_{second.id}" in entered.session_state
    assert f"live_video_{first.id}" not in entered.session_state
    assert worker.stopped == 1


def test_a_photo_gets_a_card_for_its_face(entered):
    choose_photo(entered, "astronaut.png", png_of(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)))
    assert not entered.exception
    assert 'data-faces=\\"1\\"' in words_of(entered)
    assert any("at least 48 pixels wide" in caption.value for caption in entered.caption)


def test_a_photo_without_a_face_says_so(entered):
    choose_photo(entered, "grey.png", png_of(np.full((200, 200, 3), 127, np.uint8)))
    assert "No face in the photo" in words_of(entered)
    assert "at least 48 pixels wide" in words_of(entered)


def test_a_broken_photo_is_explained(entered):
    choose_photo(entered, "holiday.png", b"not an image")
    assert not entered.exception
    assert "holiday.png cannot be read" in entered.error[0].value


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("FER_MODEL", "no-such-model", "no-such-model"),
        ("FER_ICE_SERVERS", "stun:example.org", "not JSON"),
    ],
)
def test_what_cannot_be_loaded_is_explained(page, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    page.run()
    assert not page.exception
    assert words in page.error[0].value
    assert not page.button


def test_an_altered_model_is_an_error_not_a_fallback(page, monkeypatch, tmp_path):
    bundle = load_bundle()
    bundle.card.save(tmp_path / "card.json")
    (tmp_path / "model.tflite").write_bytes(bundle.content[:-100])
    monkeypatch.setenv("FER_MODEL", str(tmp_path))
    page.run()
    assert "cut short or altered" in page.error[0].value


@pytest.mark.parametrize(
    ("setting", "servers"), [("", []), ('[{"urls": "stun:stun.example.org"}]', [{"urls": "stun:stun.example.org"}])]
)
def test_no_server_outside_is_asked_but_those_of_the_settings(page, monkeypatch, setting, servers):
    asked = []

    def streamer(key, rtc_configuration, **options):
        asked.append(rtc_configuration)
        return SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))

    monkeypatch.setattr("fer_core.ui.live.webrtc.webrtc_streamer", streamer)
    if setting:
        monkeypatch.setenv("FER_ICE_SERVERS", setting)
    assert not page.run().button(key="acknowledge").click().run().exception
    assert asked == [{"iceServers": servers}]


def test_whoever_comes_when_all_places_are_taken_is_told_and_gets_in_when_one_leaves(page, monkeypatch):
    monkeypatch.setenv("FER_MAX_VIEWERS", "1")
    seats = seats_of(Settings(max_viewers=1))
    assert seats.take("somebody") and seats.ahead("next") == 0
    words = words_of(page.run().button(key="acknowledge").click().run())
    assert not page.exception
    assert "All places are taken" in words and "1 person is before you" in words
    session = page.session_state["live_session"]
    assert f"live_video_{session.id}" not in page.session_state
    seats.leave("next"), seats.leave("somebody")
    assert "All places are taken" not in words_of(page.run())
    assert f"live_video_{session.id}" in page.session_state
    seats.leave(session.id)


def test_a_visit_to_another_page_ends_the_stream(page):
    at = AppTest.from_file(LIVE.parents[1] / "app.py", default_timeout=TIMEOUT_S)
    at.session_state["limits_acknowledged"] = True
    first = at.run().session_state["live_session"]
    at.switch_page("pages/evaluate.py").run()
    assert "live_session" not in at.session_state
    at.switch_page("pages/live.py").run()
    assert not at.exception
    assert at.session_state["live_session"] is not first
    assert f"live_video_{first.id}" not in at.session_state


def test_a_card_of_other_splits_takes_nothing_down(page, monkeypatch, tmp_path):
    bundle = load_bundle()
    calibration = {**bundle.card.calibration, "by_split": {}}
    dataclasses.replace(bundle.card, calibration=calibration).save(tmp_path / "card.json")
    (tmp_path / "model.tflite").write_bytes(bundle.content)
    monkeypatch.setenv("FER_MODEL", str(tmp_path))
    assert not page.run().button(key="acknowledge").click().run().exception
