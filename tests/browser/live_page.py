"""The live page as a person uses it: what tests press and read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, expect

# Generous, since a busy machine must not fail a test; nothing is measured by it.
PATIENCE_MS = 60_000

# What the component keeps to itself: the connections that it makes.
_KEEP_CONNECTIONS = """window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.connections.push(this); }
};"""
_USED_WAYS = """async () => {
  const kinds = [];
  for (const peer of window.connections) {
    const stats = await peer.getStats();
    for (const pair of stats.values())
      if (pair.type === "candidate-pair" && pair.nominated && pair.state === "succeeded")
        kinds.push(stats.get(pair.localCandidateId).candidateType);
  }
  return kinds;
}"""


class LivePage:
    """One tab with the live page open, in a browser context of its own.

    Args:
        camera: whether the page may use the camera.
        script: runs in each frame of the page before anything else does.
    """

    def __init__(self, browser: Browser, url: str, camera: bool = True, script: str = "") -> None:
        self._context = browser.new_context(
            permissions=["camera"] if camera else [], viewport={"width": 1280, "height": 900}
        )
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.hosts: set[str] = set()
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        self.page.add_init_script(_KEEP_CONNECTIONS + script)
        self.page.goto(url)
        self.page.get_by_role("button", name="I understand").click()
        expect(self.page.get_by_text("Faces appear here")).to_be_visible(timeout=PATIENCE_MS)

    @property
    def cards(self) -> Locator:
        """The cards of the faces."""
        return self.page.locator(".fer-card")

    @property
    def status(self) -> Locator:
        """The line under the video."""
        return self.page.locator(".fer-status")

    @property
    def steps(self) -> Locator:
        """What is said about how the camera starts."""
        return self.page.locator(".st-key-stage #steps")

    def ways(self) -> set[str]:
        """Return the kinds of the browser's ends of the connections in use: host, srflx, prflx or relay."""
        return set(self._video.evaluate(_USED_WAYS))

    def press_start(self) -> None:
        """Press Start camera."""
        self._component.get_by_role("button", name=re.compile("start camera", re.I)).click()

    def start(self) -> None:
        """Press Start camera and wait for the first face."""
        self.press_start()
        expect(self.cards.first).to_be_visible(timeout=PATIENCE_MS)

    def record(self, picture: bool = False) -> None:
        """Begin a recording, with the camera's picture if that is wanted, and wait until it is under way."""
        if picture:
            self.page.get_by_role("button", name="Details").click()
            self.page.get_by_text("Keep the picture too").click()
            expect(self.page.get_by_role("switch", name="Keep the picture too")).to_be_checked(timeout=PATIENCE_MS)
            self.page.keyboard.press("Escape")
        self.page.get_by_role("button", name="Record scores").click()
        if picture:
            self.page.get_by_role("button", name="Agree, with the picture").click()
        going = self.page.get_by_text(re.compile(r"^Recording · .* rows" + (" · video" if picture else "")))
        expect(going).to_be_visible(timeout=PATIENCE_MS)

    def stop(self) -> None:
        """Press Stop camera."""
        self._component.get_by_role("button", name=re.compile("stop camera", re.I)).click()

    def break_off(self) -> None:
        """Let the browser take the other end of the connection for silent; wait until it has begun another one."""
        self._component.locator("body").evaluate(
            """body => { const view = body.ownerDocument.defaultView, last = view.connections.at(-1);
                         view.lost = view.connections.length;
                         Object.defineProperty(last, 'connectionState', {get: () => 'disconnected'});
                         last.dispatchEvent(new Event('connectionstatechange')); }"""
        )
        # Asked anew each time: the component may be replaced meanwhile, and what waits inside it would wait for ever.
        begun = """body => { const view = body.ownerDocument.defaultView;
                             return view.connections.length > (view.lost ?? 0); }"""
        end_s = time.monotonic() + PATIENCE_MS / 1000
        while not self._component.locator("body").evaluate(begun):
            assert time.monotonic() < end_s, "no other connection was begun"
            self.page.wait_for_timeout(100)

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Wait, after what is done in the block, until the video that was there before has left the page."""
        frame = self.page.locator("iframe[title*='webrtc']").element_handle()
        yield
        self.page.wait_for_function("frame => !frame.isConnected", arg=frame)

    def follow(self, link: str, heading: str) -> None:
        """Press a link until its page is there.

        A stream that breaks off at this very moment, on a busy machine, asks for its own page once more.
        """
        for timeout_ms in (PATIENCE_MS / 3, PATIENCE_MS):
            self.page.get_by_role("link", name=link).click()
            try:
                expect(self.page.get_by_role("heading", name=heading)).to_be_visible(timeout=timeout_ms)
                return
            except AssertionError:
                if timeout_ms == PATIENCE_MS:
                    raise

    def choose(self, source: str) -> None:
        """Choose Camera or Photo."""
        self.page.get_by_test_id("stButtonGroup").first.get_by_text(source, exact=True).click()

    def loop(self, on: bool) -> None:
        """Switch whether a clip begins again at its end."""
        self.page.get_by_text("In a loop").click()
        expect(self.page.get_by_role("switch", name="In a loop")).to_be_checked(checked=on, timeout=PATIENCE_MS)

    def video_state(self) -> dict[str, float]:
        """Return the video's width, height and time played in seconds."""
        return self._video.evaluate("v => ({width: v.videoWidth, height: v.videoHeight, time_s: v.currentTime})")

    def wait_until_video_advances(self) -> None:
        """Wait until a second more of video has been played."""
        self._video.evaluate(
            """async v => { const start = v.currentTime;
                            while (v.currentTime < start + 1) await new Promise(done => setTimeout(done, 100)); }"""
        )

    def brighter_side(self) -> str:
        """Return which edge of the picture that comes back is brighter: "left", "right", or "" before there is one."""
        left, right = self._video.evaluate(
            """v => { const canvas = document.createElement('canvas');
                      canvas.width = 100; canvas.height = 75;
                      const context = canvas.getContext('2d');
                      context.drawImage(v, 0, 0, 100, 75);
                      const green = x => context.getImageData(x, 0, 4, 75).data.filter((_, i) => i % 4 === 1)
                                                .reduce((sum, value) => sum + value, 0);
                      return [green(1), green(95)]; }"""
        )
        if left == right:
            return ""
        return "left" if left > right else "right"

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while not condition():
            assert time.monotonic() < deadline_s, "the page did not get there in time"
            self.page.wait_for_timeout(200)

    def figures(self) -> dict[str, int]:
        """Return the status line's figures by what they count, once there are any."""
        expect(self.status).to_contain_text("analysed", timeout=PATIENCE_MS)
        parts = [re.fullmatch(r"(\d+) (.+)", part) for part in self.status.locator("span").all_inner_texts()]
        return {match[2]: int(match[1]) for match in parts if match}

    def hide(self, hidden: bool = True) -> None:
        """Let the page believe that its tab is in the background."""
        self.page.evaluate(
            """hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
                           document.dispatchEvent(new Event('visibilitychange')); }""",
            hidden,
        )

    def beat(self) -> str | None:
        """Return what tells one drawing of the status line from the next."""
        return self.status.get_attribute("data-beat")

    def close(self) -> None:
        """Close the tab; the server is not told and finds out by itself."""
        self._context.close()

    def leave(self) -> None:
        """Go elsewhere, which tells the server, then close the tab."""
        if not self.page.is_closed():
            self.page.goto("about:blank")
        self.close()

    @property
    def _component(self):
        return self.page.frame_locator("iframe[title*='webrtc']")

    @property
    def _video(self) -> Locator:
        return self._component.locator("video")
