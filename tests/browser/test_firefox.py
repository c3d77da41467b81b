"""The live page in Firefox: its camera starts, pictures come back, and the figures under them count."""

import shutil

import pytest

from tests.browser.firefox import firefox

COMPONENT = """document.querySelector("iframe[title*='webrtc']")?.contentDocument"""
VIDEO = f"{COMPONENT}?.querySelector('video')"


def press(words, where="document"):
    """Return a function that presses the button of these words, if it is there."""
    buttons = f"[...({where}?.querySelectorAll('button') ?? [])]"
    return (
        f"() => {{ const button = {buttons}.find((each) => /{words}/i.test(each.textContent) && !each.disabled);"
        " button?.click(); return Boolean(button); }"
    )


@pytest.fixture
def tab(server, tmp_path):
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if not program:
        pytest.skip("no Firefox found; on Debian install it with: apt-get install firefox-esr")
    with firefox(program, tmp_path / "profile") as tab:
        tab.open(server.url)
        yield tab


def test_the_camera_starts_and_pictures_and_figures_come_back(tab, server):
    tab.wait_for(press("I understand"))
    tab.wait_for(press("start camera", COMPONENT))
    tab.wait_for(r"() => /[1-9]\d*\s+analysed/.test(document.querySelector('.fer-status').innerText)")
    before_s = tab.wait_for(f"() => {VIDEO}?.videoWidth && {VIDEO}.currentTime")
    assert tab.wait_for(f"() => {VIDEO}.currentTime > {before_s} + 1")
    beat = tab.run("() => document.querySelector('.fer-status').dataset.beat")
    assert tab.wait_for(f"() => document.querySelector('.fer-status').dataset.beat > {beat}")
    server.wait_for_streams(1)
    tab.wait_for(press("stop camera", COMPONENT))
    server.wait_for_streams(0)
    assert tab.wait_for("() => /Press Start camera/.test(document.body.innerText)")
