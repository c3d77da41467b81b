"""The tools around a session on its page: search, shares, markers, details, agreement, conditions, studies."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.sessions.database import open_database
from fer_core.sessions.details import Details
from fer_core.sessions.kept_baselines import keep_baseline, kept_baseline
from fer_core.sessions.later_baselines import baselines_of, set_baseline
from fer_core.sessions.markers import CODE, EXCLUDED, Marker, add_markers, markers_of
from fer_core.sessions.ratings import ratings_of
from fer_core.sessions.store import list_sessions
from fer_core.sessions.studies import Study, find_study, list_studies, save_study
from fer_core.ui.components import access
from tests.sessions.recording import frame, record

PAGE = Path(__file__).parents[2] / "pages" / "sessions.py"


@pytest.fixture
def page(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_DATABASE_URL", raising=False)
    return AppTest.from_file(PAGE, default_timeout=60)


def session_of(participant="P1", condition="calm", best=(3, 3, 4, 4), tags=(), faces=1):
    details = Details("pilot", participant, condition, f"{participant} {condition}", tags=tags)
    return record(open_database(), [frame(i, faces, code) for i, code in enumerate(best)], details=details, step_s=0.5)


def opened(page, tab="", view=""):
    if tab:
        page.session_state["session_tab"] = tab
    if view:
        page.session_state["sessions_view"] = view
    page.run()
    assert not page.exception
    return page


def words_of(at):
    parts = (*at.markdown, *at.caption, *at.get("html"), *at.error, *at.text, *at.info)
    return " ".join(str(element.proto) for element in parts)


def test_sessions_are_found_by_words_participant_and_tags(page):
    session_of("P1", tags=("first",))
    session_of("P2", "film")
    opened(page)
    assert len(page.selectbox(key="session").options) == 2
    page.text_input(key="session_words").set_value("p2 FILM").run()
    assert page.selectbox(key="session").options == ["P2 film · 2026-03-01 12.00.00 (2)"]
    page.text_input(key="session_words").set_value("").run()
    page.multiselect(key="filter Tags").select("first").run()
    assert page.selectbox(key="session").options == ["P1 calm · 2026-03-01 12.00.00"]
    page.multiselect(key="filter Condition").select("film").run()
    assert not page.exception and "No session fits the search." in words_of(page)


def test_shares_are_those_of_the_range_that_is_chosen_and_leave_out_what_is_excluded(page):
    session = session_of()
    at = opened(page, "Shares")
    table = at.dataframe[0].value.set_index("expression")
    assert table["share"]["happy"] == table["share"]["neutral"] == 50
    assert at.dataframe[1].value.loc["happy", "neutral"] == 1 and "1 transition" in words_of(at)
    at.slider[0].set_value((1.4, 2.0)).run()
    assert at.dataframe[0].value.set_index("expression")["share"]["neutral"] == 100
    add_markers(session, [Marker(1.4, "noise", 1.6, EXCLUDED)])
    at.slider[0].set_value((0.0, 2.0)).run()
    assert at.dataframe[0].value.set_index("expression")["share"]["happy"] == pytest.approx(200 / 3)
    assert "1 range left out" in words_of(at)
    at.slider[0].set_value((0.0, 0.1)).run()
    assert not at.exception and "no face in this part" in words_of(at)


def test_the_cursor_says_what_the_face_showed_and_goes_to_a_marker(page):
    session = session_of()
    add_markers(session, [Marker(1.5, "film")])
    at = opened(page)
    at.slider(key="replay_at").set_value(0.5).run()
    assert "Face 1: happy 70 %" in words_of(at)
    at.selectbox(key="replay_marker").select("0:01 film").run()
    assert not at.exception
    assert at.slider(key="replay_at").value == 1.5 and "Face 1: neutral 70 %" in words_of(at)
    at.toggle(key="replay").set_value(True).run()
    assert not at.exception and at.slider(key="replay_at").value >= 1.5


def test_markers_are_changed_added_and_deleted(page):
    session = session_of()
    add_markers(session, [Marker(0.5, "a"), Marker(1.0, "b")])
    at = opened(page, "Markers")
    editor = f"markers {session.name} {hash(tuple(markers_of(session)))}"
    at.session_state[editor] = {
        "edited_rows": {0: {"label": "A", "end_s": 0.75, "left_out": True}},
        "added_rows": [{"time_s": 1.25, "label": "new", "left_out": False}],
        "deleted_rows": [1],
    }
    at.button(key="markers_save").click().run()
    assert not at.exception
    assert [(each.time_s, each.end_s, each.label, each.kind, each.source) for each in markers_of(session)] == [
        (0.5, 0.75, "A", EXCLUDED, "page"),
        (1.25, None, "new", "marker", "page"),
    ]
    editor = f"markers {session.name} {hash(tuple(markers_of(session)))}"
    at.session_state[editor] = {"edited_rows": {0: {"end_s": 0.1}}, "added_rows": [], "deleted_rows": []}
    at.button(key="markers_save").click().run()
    assert "A ends at 0.1 s" in at.error[0].value and markers_of(session)[0].end_s == 0.75


def test_a_list_of_stimuli_is_imported_from_its_own_time_on(page):
    session = session_of()
    at = opened(page, "Markers")
    at.file_uploader(key="stimuli").set_value([("list.csv", b"onset\n1\n", "text/csv")]).run()
    at.button(key="stimuli_add").click().run()
    assert "list.csv must have the columns" in at.error[0].value
    at.file_uploader(key="stimuli").set_value([("list.csv", b"time_s,end_s,label\n0.5,1,film\n", "text/csv")])
    at.number_input(key="stimuli_start").set_value(0.25).run()
    at.button(key="stimuli_add").click().run()
    assert not at.exception
    assert [(each.time_s, each.end_s, each.label) for each in markers_of(session)] == [(0.75, 1.25, "film")]


def test_details_are_changed(page):
    session = session_of()
    at = opened(page, "Details")
    at.text_input(key=f"details {session.name} condition").set_value("film")
    at.text_input(key=f"details {session.name} tags").set_value("a, b")
    next(button for button in at.button if button.label == "Save details").click().run()
    assert not at.exception
    assert (list_sessions()[0].details.condition, list_sessions()[0].details.tags) == ("film", ("a", "b"))


def test_codes_of_human_coders_are_imported_and_agree_with_the_model(page):
    session_of(best=(3, 3, 4, 4))
    at = opened(page, "Agreement")
    content = b"time_s,end_s,label\n0,1.2,happiness\n1.2,1.7,neutral\n1.7,9,happy\n"
    at.file_uploader(key="codes").set_value([("codes.csv", content, "text/csv")]).run()
    at.button(key="codes_import").click().run()
    assert "The coder needs a name" in at.error[0].value
    at.text_input(key="coder").set_value("Ann").run()
    at.button(key="codes_import").click().run()
    assert not at.exception
    table = at.dataframe[0].value.iloc[0].tolist()
    assert table == ["Model and Ann", 4, "75.0 %", "0.50"]
    assert len(markers_of(list_sessions()[0], CODE)) == 3
    at.button(key="codes_delete_sure").click().run()
    assert not markers_of(list_sessions()[0], CODE)


def test_intensities_of_coders_are_imported_and_correlated_with_the_scores(page):
    session_of(best=(3, 3, 4, 4, 3, 3, 4, 4))  # from 0.5 s on, every half a second: happy is 0.7 or 0.05
    page.session_state["ratings_panel"] = True
    at = opened(page, "Agreement")
    assert "how strong a coder saw an expression" in words_of(at)
    content = b"time_s,value\n0,70\n1,40\n2,20\n3,50\n"
    at.file_uploader(key="ratings_file").set_value([("ann.csv", content, "text/csv")])
    at.selectbox(key="ratings_expression").select("happy").run()
    at.button(key="ratings_import").click().run()
    assert "The coder needs a name" in at.error[0].value
    at.text_input(key="ratings_coder").set_value("Ann").run()
    at.button(key="ratings_import").click().run()
    assert not at.exception
    table = next(each.value for each in at.dataframe if "ICC(A,1)" in each.value)
    coders, expression, means, agreement, consistency = table.iloc[0].tolist()
    assert (coders, expression, means) == ("Model and Ann", "happy", 4)
    assert agreement.startswith("0.") and " to " in consistency
    at.number_input(key="ratings_bin").set_value(3.0).run()
    assert next(each.value for each in at.dataframe if "ICC(A,1)" in each.value).iloc[0, 3] == "–"  # two means are few
    at.button(key="ratings_delete_sure").click().run()
    assert not at.exception and not ratings_of(list_sessions()[0])


def test_shares_of_expressions_are_correlated_over_sessions_of_the_same_coder(page):
    page.session_state["shares_panel"] = True
    for number in range(3):
        session = session_of(f"P{number}", best=(3,) * (number + 1) + (4,) * (5 - number))
        change_s = 0.8 + number / 2
        codes = [Marker(0, "happy", change_s, CODE, "Ann"), Marker(change_s, "neutral", 9, CODE, "Ann")]
        add_markers(session, codes)
        at = opened(page, "Agreement")
        assert (number == 2) == ("At least 3 sessions must be coded" not in words_of(at))
    table = next(each.value for each in at.dataframe if "Sessions" in each.value).set_index("Expression")
    assert table.loc["happy", "Sessions"] == 3 and table.loc["happy", "ICC(C,1)"].startswith("1.00")


def test_conditions_are_compared_over_participants(page):
    assert "No session has been recorded yet" in words_of(opened(page, view="Conditions"))
    for number in range(3):
        session_of(f"P{number}", "calm", (4,) * 9 + (3,) * number)
        session_of(f"P{number}", "film", (3,) * 9)
    session_of("", "film")
    at = opened(page)
    shares, differences = (frame.value.set_index("Expression") for frame in at.dataframe)
    assert shares["film"]["happy"] == "100.0 % (100.0 to 100.0 %)"
    (column,) = differences.columns
    assert column == "film − calm (3 participants, each with itself)" and differences[column]["happy"].startswith("+")
    assert "1 session of this study without a participant" in words_of(at) and at.get("plotly_chart")
    at.segmented_control(key="condition_expression").set_value("happy").run()
    assert not at.exception


def test_a_study_is_set_up_and_its_participants_are_deleted_in_one_step(page):
    session_of("P1")
    session_of("P1", "film")
    session_of("P2")
    at = opened(page, view="Studies")
    at.selectbox(key="study").select("pilot").run()
    at.text_area[0].set_value("May we?")
    at.number_input[0].set_value(0)
    next(button for button in at.button if button.label == "Save study").click().run()
    assert not at.exception and find_study("pilot") == Study("pilot", "May we?")
    assert "2 sessions" in at.selectbox(key="participant").options[0]
    at.button(key="participant_delete_sure").click().run()
    assert not at.exception and [each.details.participant for each in list_sessions()] == ["P2"]
    at.number_input[0].set_value(1)
    next(button for button in at.button if button.label == "Save study").click().run()
    assert find_study("pilot").retention_days == 1


def test_open_to_a_network_studies_are_the_operator_s(page, monkeypatch):
    monkeypatch.setattr(access, "is_open_to_network", lambda: True)
    save_study(Study("secret", "text"))
    at = opened(page, view="Studies")
    assert not at.selectbox and "Changing studies is off" in at.info[-1].value
    assert [study.name for study in list_studies()] == ["", "secret"]


def test_seconds_chosen_afterwards_are_a_face_s_zero_kept_if_asked_and_undone(page):
    session = session_of(best=(3,) * 6)
    at = opened(page)
    assert not [choice for choice in at.segmented_control if choice.key == "scores"]
    at.number_input(key="later_first").set_value(0.9)
    at.number_input(key="later_last").set_value(1.1)
    take = next(button for button in at.button if button.label == "Take as neutral")
    take.click().run()
    assert "valid in 1 frames; a baseline needs 5 or more" in words_of(at)
    at.number_input(key="later_first").set_value(0.0)
    at.number_input(key="later_last").set_value(3.0)
    at.toggle(key="later_keep").set_value(True)
    next(button for button in at.button if button.label == "Take as neutral").click().run()
    assert not at.exception
    assert "Face 1: corrected throughout for its neutral face, set afterwards by 6 frames, 0.5 to 3.0 s" in words_of(at)
    assert "Kept for P1: 6 frames of 2026-03-01 12.00.00" in words_of(at)
    at.segmented_control(key="scores").set_value("Corrected").run()
    assert not at.exception
    assert baselines_of(session)[0].baseline.frames == 6 and kept_baseline("pilot", "P1")
    at.button(key="later_forget").click().run()
    assert kept_baseline("pilot", "P1") is None
    at.button(key="later_undo_1").click().run()
    assert not baselines_of(session) and "corrected throughout" not in words_of(at)


def test_a_participant_with_nothing_but_a_baseline_is_found_and_deleted(page):
    session = session_of(best=(3,) * 6)
    later = set_baseline(session, 1, 0.0, 3.0)
    keep_baseline("pilot", "P9", later.baseline, later.model, session.name)
    page.session_state["participant"] = "pilot", "P9"
    at = opened(page, view="Studies")
    assert at.selectbox(key="participant").options[1] == "P9 · pilot · 0 sessions"
    at.button(key="participant_delete_sure").click().run()
    assert not at.exception and kept_baseline("pilot", "P9") is None
