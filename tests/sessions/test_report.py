"""The report of a session: one page that loads nothing and says what is known."""

from xml.etree import ElementTree

import numpy as np

from fer_core.sessions.details import Details
from fer_core.sessions.markers import CODE, EXCLUDED, Marker, add_markers
from fer_core.sessions.report import build_report, course_svg, html_report
from fer_core.sessions.studies import Study, keep_answer
from tests.sessions.recording import BEGAN, frame, record


def test_it_says_what_is_known_and_loads_nothing(sqlite):
    details = Details("pilot", "P1", "film", "First <b>", "calm & quiet", ("a",))
    frames = [frame(i, best=code) for i, code in enumerate([3, 3, 4, 3, 5])]
    session = record(sqlite, frames, details=details, step_s=0.5, smoothing_s=0.3)
    add_markers(session, [Marker(1.0, "bell & co"), Marker(2.4, "noise", 2.6, EXCLUDED)])
    add_markers(session, [Marker(0.0, "happy", 9.0, CODE, "Ann")])
    keep_answer(Study("pilot", "May we?"), "P1", True, session, sqlite, BEGAN)
    report = build_report(session.again(), BEGAN)
    assert report.shares.rows == 4 and report.shares.shares[3] == 0.75  # the last frame is left out
    assert report.transitions.sum() == 2 and report.agreements["Ann"].share == 0.75
    page = html_report(report)
    for words in (
        "First &lt;b&gt;",
        "calm &amp; quiet",
        "P1",
        "75.0 %",
        "bell &amp; co",
        "Cohen",
        "May we?",
        "smoothing s",
    ):
        assert words in page, words
    assert "<script" not in page and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "src=" not in page and "@import" not in page and "url(" not in page


def test_a_session_without_a_face_has_a_report_too(sqlite):
    page = html_report(build_report(record(sqlite, [frame(0, 0), frame(1, 0)])))
    assert "No face was seen." in page and "nan" not in page.lower()


def test_a_course_is_whole_svg_within_its_frame():
    markers = [Marker(1.0, "<x>"), Marker(1.5, "y", 99.0), Marker(50.0, "later")]
    probs = np.array([[0.2, 0.8], [np.nan, np.nan], [1.0, 0.0]])
    svg = ElementTree.fromstring(course_svg(np.array([0.0, 1.0, 2.0]), probs, ("happy", "own & new"), markers, "a & b"))
    places = [float(each.get("x")) for each in svg if each.get("x")]
    assert min(places) >= 0 and max(places) <= 900 and len([e for e in svg if e.get("class") in ("mark", "range")]) == 2
