"""Jobs on a page, seen from the tab that started them and from another."""

import time

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.background.jobs import list_jobs
from fer_core.background.launch import start_job
from fer_core.background.task import Progress
from fer_core.ui.components.jobs import progress_text
from tests.background.tasks import Work

LIMIT_S = 60


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    st.cache_resource.clear()
    yield tmp_path
    for job in list_jobs():
        job.cancel()


def tab(address: str = "") -> AppTest:
    """Open a page that starts work and shows it."""

    def page():
        import streamlit as st

        from fer_core.background.jobs import running_job
        from fer_core.ui.components.jobs import keep_owner, own_job, show_failure, show_job, start_own_job
        from tests.background.tasks import Work

        keep_owner()
        way, mark = st.text_input("way", key="way"), st.text_input("mark", key="mark")
        st.button("Go", key="go", on_click=lambda: start_own_job(Work(way, mark)))
        job = own_job("work")
        if (running := running_job("work")) is not None:
            show_job(running)
        elif job is not None and job.state == "finished":
            st.success(str(job.result))
        elif job is not None:
            show_failure(job)

    at = AppTest.from_function(page, default_timeout=LIMIT_S)
    if address:
        at.query_params["tab"] = address
    return at.run()


def press(at, way, mark=""):
    at.text_input(key="way").set_value(way)
    at.text_input(key="mark").set_value(str(mark)).run()
    return at.button(key="go").click().run()


def test_an_outcome_goes_to_the_tab_that_started_the_job_alone():
    mine = press(tab(), "fail")
    list_jobs()[0].wait(LIMIT_S)
    assert not tab().error
    assert "row 3 is wrong" in mine.run().error[0].value
    assert "row 3 is wrong" in mine.run().error[0].value, "it stays until it is closed"
    [close] = [button for button in mine.button if button.label == "Close"]
    close.click().run()
    assert not mine.error and not list_jobs()


def test_a_reload_finds_the_job_again_by_the_address():
    mine = press(tab(), "finish")
    address = mine.query_params["tab"]
    list_jobs()[0].wait(LIMIT_S)
    reloaded = tab(address)
    assert "uploads" in reloaded.success[0].value
    list_jobs()[0].remove()
    assert "tab" not in reloaded.run().query_params, "without a job the address is plain"


def test_another_tab_sees_that_a_job_runs_and_can_cancel_it(home):
    press(tab(), "report", home / "mark")
    other = tab()
    assert "started in another tab" in str(other.get("progress")[0].proto)
    [cancel] = [button for button in other.button if button.label == "Cancel"]
    cancel.click().run()
    assert list_jobs()[0].wait(LIMIT_S).state == "cancelled"
    assert not other.run().error


def test_a_second_start_is_refused_aloud(home):
    press(tab(), "report", home / "mark")
    other = press(tab(), "finish")
    assert "still running" in other.toast[0].value
    assert len(list_jobs()) == 1


def test_a_job_that_ends_makes_the_page_whole_again(home):
    at = press(tab(), "finish")
    end_s = time.monotonic() + LIMIT_S
    while not at.success and time.monotonic() < end_s:
        at.run()
    assert at.success


@pytest.mark.parametrize(
    "progress, expected",
    [
        (Progress(), "Reading x"),
        (Progress(43, 100, "", 0, 3, 8.6), "Reading x · 43 % · about 12 s left"),
        (Progress(0, 0, "first look"), "Reading x · first look"),
        (Progress(999, 1000, "", 0, 0, 200), "Reading x · 100 % · about 1 s left"),
        (Progress(10, 100, "", 0, 0, 33), "Reading x · 10 % · about 5 min left"),
    ],
)
def test_progress_in_words(progress, expected):
    assert progress_text("Reading x", progress) == expected


def test_a_job_of_the_command_line_has_no_owner_and_disturbs_nobody():
    start_job(Work("fail")).wait(LIMIT_S)
    assert not tab().error
