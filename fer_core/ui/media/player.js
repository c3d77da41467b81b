// A video, its curves and its moments move together: a click on a curve or a moment goes there in the video, and a line
// on the curves follows what is shown.
const STEP_MS = 100;

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
  video.currentTime = Math.max(0, time_s - offset_s);
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

export default function ({ parentElement, data, setTriggerValue }) {
  const strip = parentElement.querySelector(".moments");
  if (strip.dataset.version !== data.version) {
    strip.replaceChildren(...data.moments.map(moment));
    strip.dataset.version = data.version;
  }
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
    setTriggerValue("asked", video.currentTime + data.offset_s);
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
    if (video && plot) drawLines(plot, video.currentTime + data.offset_s);
  }, STEP_MS);
  return () => {
    document.removeEventListener("pointerdown", press, true);
    clearInterval(timer);
  };
}
