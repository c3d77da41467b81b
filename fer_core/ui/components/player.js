// A video, its curves and its moments move together: a click on a curve or a moment goes there in the video, and a line
// on the curves follows what is shown. The server is told about once a second where that is, if it asked, and can send
// the video elsewhere.
const STEP_MS = 100;
const TELL_MS = 1000;
const SAME_S = 0.05;

function moment({ expression, time_s, text, color, picture }) {
  const button = document.createElement("button");
  button.dataset.time = time_s;
  button.setAttribute("aria-label", `Go to where ${expression} is strongest, ${text}`);
  const image = document.createElement("img");
  image.src = picture;
  image.alt = "";
  const swatch = document.createElement("i");
  swatch.style.background = color;
  const word = document.createElement("span");
  word.append(swatch, expression);
  const time = document.createElement("small");
  time.textContent = text;
  button.append(image, word, time);
  return button;
}

const theVideo = () => document.querySelector(".st-key-media_player video");
const thePlot = () => document.querySelector(".st-key-course .js-plotly-plot");

// The panels of the chart: where each lies in it, in pixels, and what times it shows.
function panels(plot) {
  const layout = plot._fullLayout;
  if (!layout?._subplots) return [];
  return layout._subplots.xaxis.map((id) => layout[`xaxis${id.slice(1)}`]).filter((axis) => axis?._length);
}

function go(time_s, offset_s) {
  const video = theVideo();
  if (!video) return;
  seek(video, time_s, offset_s);
  video.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function timeAt(plot, clientX) {
  const x = clientX - plot.querySelector(".svg-container").getBoundingClientRect().left;
  const axis = panels(plot).find((each) => x >= each._offset && x <= each._offset + each._length);
  return axis && axis.range[0] + ((x - axis._offset) / axis._length) * (axis.range[1] - axis.range[0]);
}

function drawLines(plot, time_s) {
  const box = plot.querySelector(".svg-container");
  if (!box) return;
  const axes = panels(plot);
  const lines = [...box.querySelectorAll(":scope > .fer-playhead")];
  while (lines.length > axes.length) lines.pop().remove();
  while (lines.length < axes.length) {
    const line = document.createElement("div");
    line.className = "fer-playhead";
    box.append(line);
    lines.push(line);
  }
  const { t, h } = plot._fullLayout._size;
  axes.forEach((axis, i) => {
    const share = (time_s - axis.range[0]) / (axis.range[1] - axis.range[0]);
    lines[i].hidden = share < 0 || share > 1;
    Object.assign(lines[i].style, { left: `${axis._offset + share * axis._length}px`, top: `${t}px`, height: `${h}px` });
  });
}

// What outlives a new drawing of the component: the last order that was followed and the last time that was told.
const last = { order: null, video: null, told_s: null, told_ms: 0, beyond_s: null, stands_s: null };

// Where the video is on the curves. A place that lies before or after the video is kept until the video is moved.
function where(video, offset_s) {
  if (last.beyond_s !== null && Math.abs(video.currentTime - last.stands_s) < SAME_S) return last.beyond_s;
  last.beyond_s = null;
  return video.currentTime + offset_s;
}

function seek(video, time_s, offset_s) {
  const target_s = time_s - offset_s;
  const stands_s = Math.min(Math.max(target_s, 0), Number.isFinite(video.duration) ? video.duration : target_s);
  video.currentTime = stands_s;
  const beyond = Math.abs(stands_s - target_s) > SAME_S;
  Object.assign(last, { beyond_s: beyond ? time_s : null, stands_s });
}

// Follow an order once. Streamlit sends a video that has loaded back to its beginning: then it is followed again.
function obey(video, { go: order, offset_s }) {
  if (video !== last.video) {
    video.addEventListener("loadeddata", () => Object.assign(last, { order: null }));
    Object.assign(last, { video, order: null });
  }
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || order.number === last.order) return;
  seek(video, order.time_s, offset_s);
  Object.assign(last, { order: order.number, told_s: order.time_s });
}

function tell(video, offset_s, setTriggerValue) {
  const time_s = where(video, offset_s);
  if (video.seeking || Date.now() - last.told_ms < TELL_MS || Math.abs(time_s - last.told_s) < SAME_S) return;
  Object.assign(last, { told_ms: Date.now(), told_s: time_s });
  setTriggerValue("time_s", time_s);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const strip = parentElement.querySelector(".moments");
  strip.stop?.();  // this function runs again with each new data, and nobody else ends the run before
  if (strip.dataset.version !== data.version) {
    strip.replaceChildren(...data.moments.map(moment));
    strip.dataset.version = data.version;
  }
  strip.hidden = !data.moments.length;
  strip.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) go(Number(button.dataset.time), data.offset_s);
  };
  const ask = parentElement.querySelector(".ask");
  ask.hidden = !data.asking;
  ask.onclick = () => {
    const video = theVideo();
    if (!video) return;
    video.pause();
    setTriggerValue("asked", where(video, data.offset_s));
  };
  const press = (event) => {
    const plot = event.target.closest?.(".st-key-course .js-plotly-plot");
    const time_s = plot && timeAt(plot, event.clientX);
    if (time_s !== undefined && time_s !== null) go(time_s, data.offset_s);
  };
  document.addEventListener("pointerdown", press, true);
  const timer = setInterval(() => {
    const video = theVideo();
    const plot = thePlot();
    if (!video) return;
    if (data.go) obey(video, data);
    if (plot) drawLines(plot, where(video, data.offset_s));
    if (data.go?.number === last.order) tell(video, data.offset_s, setTriggerValue);
  }, STEP_MS);
  strip.stop = () => {
    document.removeEventListener("pointerdown", press, true);
    clearInterval(timer);
  };
  return strip.stop;
}
