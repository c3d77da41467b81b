// Says what to press, then follows the camera on its way: which step took how long, which one failed, why, what to do.
// Nothing is shown while all is well.
const LOOK_MS = 250;
const SLOW_MS = 5000; // of one step
const LIMITS_MS = { allowed: Infinity, candidates: 10000, connected: 30000, frame: 20000 };
const STEPS = [
  ["secure", "Secure page", ""],
  ["camera", "Camera found", ""],
  ["allowed", "Camera allowed", "Allow the camera when the browser asks."],
  ["candidates", "Ways to the server listed", "The browser looks for ways to the server."],
  ["connected", "Connected to the server", "The browser and the server try each way to the other."],
  ["frame", "First picture came back", "The server has not sent a picture yet."],
];
const PHOTO = "or use a photo instead.";
const WORDS = {
  insecure: ["secure", "Camera needs a secure page",
    `Browsers give the camera only to pages on HTTPS or on localhost. Open this page that way, ${PHOTO}`],
  missing: ["camera", "No camera found",
    `This device offers no camera to the browser. Connect one, ${PHOTO}`],
  denied: ["allowed", "Camera access is blocked",
    `The browser was told not to give this page the camera. Allow it in the address bar, then press Start camera; ${PHOTO}`],
  busy: ["allowed", "The camera is in use",
    "Another program or tab holds the camera. Close it there, then try again."],
  camera: ["allowed", "The camera did not start",
    `Unplug it and connect it again, or choose another one; then try again, ${PHOTO}`],
  candidates: ["candidates", "The browser lists no way to the server",
    "A setting or an add-on of this browser blocks WebRTC. Allow it for this page, or use another browser; then try again."],
  refused: ["candidates", "The TURN server refuses this browser",
    "Its credentials are wrong or too old. Ask whoever runs this server to check FER_ICE_SERVERS and FER_TURN_SECRET; " +
    "then try again."],
  direct: ["connected", "No connection to the server",
    "The page loads, but video cannot pass: a firewall or another network stands between. Use the server's own network, " +
    "or ask whoever runs it to add a TURN server (FER_ICE_SERVERS); then try again."],
  relay: ["connected", "No connection to the server",
    "Video passes neither directly nor through the TURN server. Ask whoever runs the server whether it is up and its " +
    "credentials are right, and whether this network lets its port through; then try again."],
  frame: ["frame", "Connected, but no picture comes back",
    "The camera may be covered or paused, or the server overloaded. Try again."],
};
const CAMERA_ERRORS = { NotAllowedError: "denied", NotFoundError: "missing", NotReadableError: "busy", AbortError: "busy" };

// One start of the camera. `done`: milliseconds at which each step was.
class Attempt {
  done = {};
  failure = null;
  slow = false;
  refused = false;

  // Without the browser's camera nothing has to be allowed, and pictures may come late: the page says why.
  constructor(peer, now, camera) {
    this.peer = peer;
    this.began = now;
    this.camera = camera;
    this.done = { secure: now, camera: now, ...(camera ? {} : { allowed: now }) };
  }

  reach(step, now) {
    if (this.done.frame || this.done[step]) return;
    const place = STEPS.findIndex(([name]) => name === step);
    for (const [name] of STEPS.slice(0, place + 1)) this.done[name] ??= now;
    if (this.failure && STEPS.findIndex(([name]) => name === this.failure[0]) <= place) this.failure = null;
  }

  get current() {
    return STEPS.find(([name]) => !this.done[name]);
  }

  since(now) {
    return now - Math.max(this.began, ...Object.values(this.done));
  }

  fail(cause) {
    if (!this.done.frame) this.failure ??= WORDS[cause];
  }

  // Notes what takes too long.
  look(now, hasTurn) {
    if (!this.current || this.failure || (!this.camera && this.done.connected)) return;
    if (this.since(now) > SLOW_MS) this.slow = true;
    const step = this.current[0];
    const isLost = step === "connected" && this.peer.connectionState === "closed";
    if (!isLost && this.since(now) <= LIMITS_MS[step]) return;
    if (step === "connected") this.fail(hasTurn ? "relay" : "direct");
    else this.fail(step === "candidates" && this.refused ? "refused" : step);
  }
}

class Follower {
  attempt = null;
  hasTurn = false;
  camera = true;
  show = () => {};

  // The component runs in a frame of its own; what it calls there is watched.
  look() {
    const win = document.querySelector("iframe[title*='webrtc']")?.contentWindow;
    if (win?.RTCPeerConnection && win.document?.readyState === "complete" && !win.ferFollowed) this.follow(win);
    this.attempt?.look(Date.now(), this.hasTurn);
    const video = win?.document?.querySelector("video");
    if (this.attempt?.done.connected && video?.videoWidth && video.currentTime > 0) this.reach("frame");
    this.show();
  }

  follow(win) {
    win.ferFollowed = true;
    const follower = this, Peer = win.RTCPeerConnection, devices = win.navigator.mediaDevices;
    win.RTCPeerConnection = class extends Peer {
      constructor(...options) {
        super(...options);
        follower.watch(this);
      }
    };
    if (!devices) return;
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wishes) => {
      const attempt = follower.attempt; // none while the choice of a camera asks
      try {
        const stream = await ask(wishes);
        follower.reach("allowed", attempt);
        return stream;
      } catch (error) {
        attempt?.fail(CAMERA_ERRORS[error.name] ?? "camera");
        throw error;
      }
    };
    win.document.addEventListener("click", ({ target }) => {
      if (/stop camera/i.test(target.closest?.("button")?.textContent ?? "")) follower.attempt = null;
    }, true);
  }

  watch(peer) {
    const before = this.attempt, attempt = this.attempt = new Attempt(peer, Date.now(), this.camera);
    attempt.slow = Boolean(before?.failure || (before && !before.done.frame && before.slow)); // what was said stays in sight
    peer.addEventListener("icecandidate", ({ candidate }) => { if (candidate) this.reach("candidates", attempt); });
    // 401 and others in this range come from a server; 701 says that none answered.
    peer.addEventListener("icecandidateerror", ({ errorCode }) => { attempt.refused ||= errorCode >= 300 && errorCode < 700; });
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "connected") this.reach("connected", attempt);
      if (peer.connectionState === "failed" && !attempt.done.connected) attempt.fail(this.hasTurn ? "relay" : "direct");
    });
  }

  reach(step, attempt = this.attempt) {
    attempt?.reach(step, Date.now());
  }
}

// What can be told before the camera is started.
async function trouble() {
  if (!window.isSecureContext || !navigator.mediaDevices) return "insecure";
  const devices = await navigator.mediaDevices.enumerateDevices();
  if (!devices.some((device) => device.kind === "videoinput")) return "missing";
  // Some browsers do not tell; then only the Start button can.
  const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
  return permission?.state === "denied" ? "denied" : null;
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

function rows(attempt, failure) {
  const steps = attempt && !attempt.camera ? STEPS.slice(STEPS.findIndex(([name]) => name === "candidates")) : STEPS;
  const failed = failure && steps.findIndex(([name]) => name === failure[0]);
  let before = attempt?.began;
  return steps.map(([name, label], place) => {
    const at = attempt?.done[name], row = document.createElement("li");
    const isFailed = place === failed;
    const isDone = !isFailed && (at !== undefined || (failure && place < failed));
    row.className = isFailed ? "failed" : isDone ? "done" : "open";
    const time = isDone && at !== undefined ? seconds(at - before) : isFailed ? "failed" : isDone ? "" : "–";
    row.append(label, Object.assign(document.createElement("span"), { textContent: time }));
    if (at !== undefined) before = at;
    return row;
  });
}

// Presses Stop, where it is there, and Start.
function startAgain(tries = 40) {
  const buttons = [...(document.querySelector("iframe[title*='webrtc']")?.contentDocument?.querySelectorAll("button") ?? [])];
  const named = (words) => buttons.find((button) => words.test(button.textContent) && !button.disabled);
  const start = named(/start camera/i);
  if (start) return start.click();
  named(/stop camera/i)?.click();
  if (tries) setTimeout(() => startAgain(tries - 1), LOOK_MS);
}

function draw(root, follower, cause, { playing, camera }) {
  const attempt = follower.attempt, [hint, box, folded] = root.children;
  const running = attempt && !attempt.done.frame;
  const failure = attempt?.failure ?? (running || playing ? null : WORDS[cause]);
  const isSlow = running && attempt.slow;
  const begun = attempt && attempt.done.frame && attempt.slow && playing;
  hint.hidden = Boolean(playing || failure || running || !camera);
  box.hidden = !(failure || isSlow);
  folded.hidden = !begun;
  const key = JSON.stringify([failure, isSlow, begun, attempt?.done]);
  if (root.shown === key) return; // what is read aloud must not be read again
  root.shown = key;
  if (!box.hidden) {
    const [title, text, list, again] = box.children;
    title.textContent = failure ? failure[1] : "Starting takes longer than usual";
    text.textContent = failure ? failure[2] : attempt.current[2];
    list.replaceChildren(...rows(attempt, failure));
    again.hidden = !(attempt && failure && camera);
  }
  if (begun) {
    folded.children[0].textContent = `Started in ${seconds(attempt.done.frame - attempt.began)}`;
    folded.children[1].replaceChildren(...rows(attempt, null));
  }
}

export default function ({ data, parentElement }) {
  const follower = window.ferFollower ??= new Follower();
  follower.hasTurn = data.turn;
  // What was tried with another source is of no more interest.
  if (follower.camera !== data.camera || !(data.camera || data.wanted)) follower.attempt = null;
  follower.camera = data.camera;
  const root = parentElement.querySelector("#steps");
  let cause = null;
  follower.show = () => draw(root, follower, cause, data);
  const check = async () => {
    cause = data.camera ? await trouble() : null;
    follower.show();
  };
  check();
  // Assigned, not added: this function may run again for the same page.
  root.querySelector("button").onclick = () => {
    follower.attempt = null;
    startAgain();
  };
  if (navigator.mediaDevices) navigator.mediaDevices.ondevicechange = check;
  let permission = null;
  navigator.permissions?.query({ name: "camera" }).then((status) => {
    permission = status;
    permission.onchange = () => {
      if (permission.state !== "denied" && follower.attempt?.failure === WORDS.denied) follower.attempt = null;
      check();
    };
  }).catch(() => null);
  const timer = setInterval(() => follower.look(), LOOK_MS);
  follower.look();
  return () => {
    clearInterval(timer);
    if (navigator.mediaDevices) navigator.mediaDevices.ondevicechange = null;
    if (permission) permission.onchange = null;
  };
}
