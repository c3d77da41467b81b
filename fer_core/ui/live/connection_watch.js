// Says so when a running live page no longer hears from the server, and starts its camera again when the server is back.
const LOOK_MS = 500;
const SILENT_AFTER_MS = 3500; // the status line is drawn anew twice a second
const RESUME_WITHIN_MS = 90000; // after the server is back; a new one has to load first

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

  look() {
    const now = Date.now();
    const beat = document.querySelector(".fer-status[data-beat]")?.dataset.beat ?? null;
    // A page in the background is drawn rarely, or not at all.
    if (beat !== this.beat || document.hidden) [this.beat, this.heard] = [beat, now];
    const lost = beat !== null && now - this.heard > SILENT_AFTER_MS;
    if (lost !== this.lost) this.show(lost);
    if (!lost && now < this.resumeUntil) this.startAgain();
  }

  show(lost) {
    this.lost = lost;
    document.body.classList.toggle("fer-lost", lost);
    document.getElementById("fer_lost")?.remove();
    if (lost) document.body.append(banner(this.heard));
    else this.resumeUntil = Date.now() + RESUME_WITHIN_MS;
  }

  // Presses what this viewer had pressed in this tab before the connection was lost.
  startAgain() {
    document.querySelector(".st-key-acknowledge button")?.click();
    const frame = document.querySelector("iframe[title*='webrtc']")?.contentDocument;
    const buttons = [...(frame?.querySelectorAll("button") ?? [])];
    const named = (words) => buttons.find((button) => words.test(button.textContent) && !button.disabled);
    const plays = named(/stop camera/i) && this.beat !== null;
    const start = named(/start camera/i);
    start?.click();
    if (plays || start) this.resumeUntil = 0;
  }
}

export default function () {
  if (window.ferWatch) return;
  window.ferWatch = new Watch();
  setInterval(() => window.ferWatch.look(), LOOK_MS);
}
