// Says so when a running live page no longer hears from the server, and starts a camera again that nobody stopped.
const LOOK_MS = 500;
const SILENT_AFTER_MS = 3500; // the status line is drawn anew twice a second
const RESUME_WITHIN_MS = 90000; // after the server is back; a new one has to load first
const BETWEEN_TRIES_MS = 5000;
const TRIES = 6; // in RESUME_WITHIN_MS; then something else is wrong, which the page says
const SETTLED_MS = 10000; // a connection that is about to fail still shows its Stop button

const STYLE = `position: fixed; top: 4rem; left: 50%; transform: translateX(-50%); z-index: 1000100; box-sizing: border-box;
  width: min(38rem, 94vw); padding: 0.7rem 0.9rem; border-radius: 0.6rem; line-height: 1.45; font-size: 0.95rem;
  border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-left: 5px solid #b26a00;`;

function banner(since) {
  const box = document.createElement("div");
  const { backgroundColor, color, fontFamily } = getComputedStyle(document.querySelector(".stApp"));
  box.id = "fer_lost";
  box.setAttribute("role", "alert");
  box.style.cssText = `${STYLE} background: ${backgroundColor}; color: ${color}; font-family: ${fontFamily};`;
  const title = document.createElement("strong");
  title.textContent = `The server has not answered since ${new Date(since).toLocaleTimeString()}.`;
  box.append(title, " What is shown is not live, and nothing more is recorded; what was recorded until then is kept. " +
    "The page tries to connect again by itself. If that does not help, check the network and whether the server runs.");
  return box;
}

class Watch {
  beat = null;
  heard = Date.now();
  lost = false;
  resumeUntil = 0;
  backAt = 0; // when the server was heard again
  wanted = false; // a camera that this viewer started and has not stopped
  feed = false; // whether a network camera or a clip was shown when the server was lost
  stopping = false; // it is being stopped, until the button for that has gone
  presses = []; // when it was started again, milliseconds

  // Whoever goes elsewhere wants nothing here any more: a camera must not start because they come back.
  leave({ target }) {
    const link = target.closest?.("a[href]");
    if (!link && !target.closest?.(".st-key-source")) return;
    if (link && link.pathname === location.pathname) return;
    [this.wanted, this.feed, this.stopping, this.resumeUntil] = [false, false, true, 0];
  }

  look() {
    const now = Date.now();
    const beat = document.querySelector(".fer-status[data-beat]")?.dataset.beat ?? null;
    // A page in the background is drawn rarely, or not at all.
    if (beat !== this.beat || document.hidden) [this.beat, this.heard] = [beat, now];
    const lost = beat !== null && now - this.heard > SILENT_AFTER_MS;
    if (lost !== this.lost) this.show(lost);
    if (!lost) this.keepPlaying(now);
  }

  show(lost) {
    this.lost = lost;
    document.body.classList.toggle("fer-lost", lost);
    document.getElementById("fer_lost")?.remove();
    if (lost) this.feed = Boolean(document.querySelector(".st-key-feed_stop"));
    if (lost) document.body.append(banner(this.heard));
    else [this.backAt, this.resumeUntil] = [Date.now(), Date.now() + RESUME_WITHIN_MS];
  }

  // Presses what this viewer had pressed in this tab before the server was lost, or before the stream ended by itself:
  // the component gives up for good when a connection is silent for a few seconds.
  keepPlaying(now) {
    const resuming = now < this.resumeUntil;
    if (resuming) document.querySelector(".st-key-acknowledge button")?.click();
    if (this.feed) { // and not the browser's camera, which nobody asked for
      const start = resuming && document.querySelector(".st-key-feed_start button");
      if (start) start.click();
      this.feed = resuming && !start;
      return;
    }
    const page = document.querySelector("iframe[title*='webrtc']")?.contentDocument;
    if (!page) {
      if (!resuming) this.wanted = false; // another page, or a photo
      return;
    }
    this.noticeStop(page);
    const buttons = [...page.querySelectorAll("button")].filter((button) => !button.disabled);
    const named = (words) => buttons.find((button) => words.test(button.textContent));
    const [start, stop] = [named(/start camera/i), named(/stop camera/i)];
    this.stopping &&= Boolean(stop);
    if (stop && !this.stopping) {
      this.wanted = true;
      if (now - Math.max(this.backAt, this.presses.at(-1) ?? 0) > SETTLED_MS) this.resumeUntil = 0;
    } else if (start && (this.wanted || resuming)) this.startAgain(start, now);
  }

  startAgain(start, now) {
    this.presses = this.presses.filter((then) => now - then < RESUME_WITHIN_MS);
    if (this.presses.length >= TRIES || now - (this.presses.at(-1) ?? 0) < BETWEEN_TRIES_MS) return;
    this.presses.push(now);
    start.click();
  }

  noticeStop(page) {
    if (page === this.listensTo) return;
    this.listensTo = page;
    page.addEventListener("click", ({ target }) => {
      if (/stop camera/i.test(target.closest("button")?.textContent)) [this.wanted, this.stopping, this.resumeUntil] = [false, true, 0];
    }, true);
  }
}

export default function () {
  if (window.ferWatch) return;
  window.ferWatch = new Watch();
  document.addEventListener("click", (event) => window.ferWatch.leave(event), true);
  setInterval(() => window.ferWatch.look(), LOOK_MS);
}
