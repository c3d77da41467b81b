"""A clip in place of the camera, in a real browser: played, recorded with its own time, and over by itself."""

import re
from fractions import Fraction

import pytest
from playwright.sync_api import expect

from fer_core.imaging.video import write_video
from tests.browser.live_page import PATIENCE_MS, LivePage


@pytest.fixture
def clip(tmp_path, draw_scene):
    """Four seconds of a face that moves slowly."""
    with write_video(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(40):
            writer.write(draw_scene((280 + index, 240, 170)), index / 10)
    return tmp_path / "clip.mp4"


def test_a_clip_is_played_as_the_camera_recorded_with_its_own_time_and_ends(browser, server, clip):
    live = LivePage(browser, server.url, camera=False)
    live.choose("Clip")
    live.page.locator("input[type=file]").set_input_files(clip)
    live.loop(True)
    live.page.get_by_role("button", name="Play clip").click()
    expect(live.cards).to_have_count(1, timeout=PATIENCE_MS)
    expect(live.status.get_by_text("clip at 0:0")).to_be_visible(timeout=PATIENCE_MS)
    live.page.get_by_role("button", name="Record scores").click()
    expect(live.page.get_by_text(re.compile(r"^Recording · "))).to_be_visible(timeout=PATIENCE_MS)
    live.loop(False)
    expect(live.page.get_by_text("clip.mp4 has ended")).to_be_visible(timeout=PATIENCE_MS)
    expect(live.page.get_by_text(re.compile(r"Kept: 0:\d\d, \d+ rows"))).to_be_visible(timeout=PATIENCE_MS)
    expect(live.page.get_by_role("button", name="Play clip")).to_be_visible()
    server.wait_for_streams(0)
    live.follow("See it", "Recorded sessions")
    live.page.get_by_role("tab", name="Details").click()
    begins = live.page.get_by_text(re.compile(r"^0:0[0-4]  played from s: [0-4](\.\d+)?$")).first
    expect(begins).to_be_visible(timeout=PATIENCE_MS)
    live.leave()
