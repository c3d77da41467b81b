"""Training end to end: a real browser, real processes, a server that dies in between."""

import pytest
from playwright.sync_api import expect

from fer_core.background.locks import holder
from fer_core.data.store import write_store
from fer_core.models.model_store import chosen_model
from fer_core.training.run.process import stop
from fer_core.training.run.store import find_run, list_runs
from tests.browser.training_app import App, TrainingPage, keep_speed
from tests.drawn_faces import demo_set


@pytest.fixture
def app(tmp_path, monkeypatch, chromium):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    write_store(demo_set(140), "demo")  # few faces, so that an epoch takes a second
    keep_speed()
    app = App(tmp_path)
    app.start()
    yield app
    for run in list_runs():
        stop(run)
    app.kill()


def test_a_run_is_started_watched_left_found_again_stopped_resumed_compared_and_put_live(app, browser):
    training = TrainingPage(browser, app)

    # Start, and see the curves grow.
    training.start("long", 10_000)
    training.wait_for_points(2)
    pid = holder(find_run("long").lock_file)
    assert pid is not None
    expect(training.headline).to_contain_text("images/s")
    expect(training.page.locator(".fer-watched figure")).not_to_have_count(0)

    # A second run waits, is cancelled, and is deleted after a question; the first is on show again.
    training.start("second", 10_000)
    expect(training.headline).to_contain_text("waits for its turn")
    training.button("Stop").click()
    expect(training.headline).to_contain_text("stopped")
    training.button("Delete").click()
    training.button("Keep").click()
    expect(training.page.get_by_role("dialog")).not_to_be_visible()
    assert find_run("second").config_file.exists()
    training.button("Delete").click()
    training.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(training.headline).to_contain_text("long")
    training.wait_until(lambda: not find_run("second").path.exists())

    # The server dies; the run goes on and is found again.
    app.kill()
    before = len(find_run("long").history())
    app.start()
    training.open()
    training.wait_for_points(before + 2)
    assert holder(find_run("long").lock_file) == pid

    # Stop and resume.
    training.button("Stop").click()
    expect(training.headline).to_contain_text("stopped")
    done = len(find_run("long").history())
    training.button("Resume").click()
    training.wait_for_points(done + 1)
    training.button("Stop").click()
    expect(training.button("Resume")).to_be_visible()

    # A second run to its end, and both compared.
    training.start("short", 1)
    expect(training.button("Put live anyway")).to_be_visible()
    training.compare(0, 1)
    lines = training.page.locator(".st-key-compare_accuracy .js-plotly-plot").first
    names = sorted(lines.evaluate("plot => plot.data.map(line => line.name)"))
    assert [name.split()[0] for name in names] == ["long", "short"]  # each with its last value

    # After one epoch it has learned little and says so; put live all the same, the live page has it.
    training.button("Put live anyway").click()
    expect(training.page.get_by_text("is the model of the live page")).to_be_visible()
    assert chosen_model() == "short"
    training.page.get_by_role("link", name="See it live").click()
    expect(training.page.get_by_role("heading", name="Before you start")).to_be_visible()
    expect(training.page.get_by_role("combobox", name="Model")).to_have_value("short")
    training.page.close()
