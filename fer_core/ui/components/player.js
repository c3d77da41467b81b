// A video, its curves and its moments move together: a click on a curve or a moment goes there in the video, and a line
// on the curves follows what is shown. Faces are drawn over the picture if they are given. The server is told about once
// a second where the video is, if it asked, and can send it elsewhere.
const STEP_MS = 100;
const TELL_MS = 1000;
const SOON_MS = 300;
const SAME_S = 0.05;
const CLOCK_S = 0.002;  // times of rows and of pictures are rounded
const AWAY_S = 0.5;  // so far from where the video is, the picture that was seen last is another
const HELD_S = 1;  // so long a face is drawn where it was last seen
const PLATE_PX = 22;
const NARROW_PX = 480;  // there plates hold a number alone

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

// What outlives a new drawing of the component: the last order that was followed, the last time that was told, and the
// time of the picture that is shown.
const last = {
  order: null, video: null, told_s: null, told_ms: 0, beyond_s: null, stands_s: null, pictured: null, pictured_s: 0,
};

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

const covers = ({ from_s, to_s }, time_s) => time_s >= from_s && time_s <= to_s;

function tell(video, { offset_s, overlay }, setTriggerValue) {
  const time_s = where(video, offset_s);
  const pause_ms = overlay && !covers(overlay, time_s) ? SOON_MS : TELL_MS;
  if (video.seeking || Date.now() - last.told_ms < pause_ms || Math.abs(time_s - last.told_s) < SAME_S) return;
  Object.assign(last, { told_ms: Date.now(), told_s: time_s });
  setTriggerValue("time_s", time_s);
}

// The faces of the last analysed frame that was shown before a time.
function facesAt(overlay, time_s) {
  if (!overlay || !covers(overlay, time_s)) return [];
  let low = 0;
  let high = overlay.frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (overlay.frames[middle][0] <= time_s + CLOCK_S) low = middle + 1;
    else high = middle;
  }
  const [from_s, faces] = overlay.frames[low - 1] ?? [-Infinity, []];
  return time_s - from_s <= HELD_S ? faces : [];
}

function newFace() {
  const box = document.createElement("div");
  const plate = document.createElement("span");
  plate.append(document.createElement("i"), "");
  box.append(plate);
  return box;
}

function placeFace(box, [number, left, top, right, bottom, column, percent], { name, labels }, width, height) {
  const label = labels[column];
  const whose = `${width < NARROW_PX ? "" : name}${number}`;
  const text = label ? `${whose} · ${label.word} ${percent} %` : `${whose} · uncertain`;
  const [swatch, words] = box.firstChild.childNodes;
  if (words.data !== text) words.data = text;
  swatch.style.background = label?.color ?? "none";
  box.className = label ? "" : "unsure";
  box.style.setProperty("--color", label?.color ?? "#f5f5f5");
  box.firstChild.className = `${left + right > 1e4 ? "right" : ""} ${(top / 1e4) * height < PLATE_PX ? "below" : ""}`;
  const sides = { left, top, width: right - left, height: bottom - top };
  for (const [side, share] of Object.entries(sides)) box.style[side] = `${share / 100}%`;
}

// Bring the layer over a video that fills the screen, which only a popover can be, or back; return whether it is there.
function liftOver(layer, isFull) {
  if (isFull && !layer.popover) {
    layer.popover = "manual";
    layer.showPopover();
  } else if (!isFull && layer.popover) {
    layer.hidePopover();
    layer.popover = null;
  }
  return isFull;
}

// Draw the faces over the picture, which may be narrower or lower than the player.
function drawFaces(video, overlay, time_s) {
  const holder = video.closest(".st-key-media_player");
  let layer = holder.querySelector(":scope > .fer-marks");
  const faces = facesAt(overlay, time_s);
  if (!layer && !faces.length) return;
  if (!layer) {
    layer = document.createElement("div");
    layer.className = "fer-marks";
    layer.setAttribute("aria-hidden", "true");  // words beside the video say the same
    holder.append(layer);
  }
  while (layer.childElementCount > faces.length) layer.lastChild.remove();
  while (layer.childElementCount < faces.length) layer.append(newFace());
  const outer = liftOver(layer, document.fullscreenElement === video) ? { left: 0, top: 0 } : holder.getBoundingClientRect();
  const player = video.getBoundingClientRect();
  const scale = Math.min(player.width / video.videoWidth, player.height / video.videoHeight);
  const [width, height] = [scale * video.videoWidth, scale * video.videoHeight];
  const left = player.left - outer.left + (player.width - width) / 2;
  const top = player.top - outer.top + (player.height - height) / 2;
  Object.assign(layer.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  faces.forEach((face, i) => placeFace(layer.children[i], face, overlay, width, height));
}

// Call `draw` with each picture that is shown, and its time; return what ends that.
function watchPictures(video, draw) {
  let handle;
  const shown = (_, { mediaTime }) => {
    Object.assign(last, { pictured: video, pictured_s: mediaTime });
    draw(video);
    handle = video.requestVideoFrameCallback(shown);
  };
  if (video.requestVideoFrameCallback) handle = video.requestVideoFrameCallback(shown);
  return () => handle && video.cancelVideoFrameCallback(handle);
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
  const mark = (video) => {
    const known = last.pictured === video && Math.abs(last.pictured_s - video.currentTime) < AWAY_S;
    drawFaces(video, data.overlay, (known ? last.pictured_s : video.currentTime) + data.offset_s);
  };
  let watched = theVideo();
  let unwatch = watched ? watchPictures(watched, mark) : () => {};
  const timer = setInterval(() => {
    const video = theVideo();
    const plot = thePlot();
    if (!video) return;
    if (video !== watched) {
      unwatch();
      unwatch = watchPictures(video, mark);
      watched = video;
    }
    mark(video);
    if (data.go) obey(video, data);
    if (plot) drawLines(plot, where(video, data.offset_s));
    if (data.go?.number === last.order) tell(video, data, setTriggerValue);
  }, STEP_MS);
  strip.stop = () => {
    document.removeEventListener("pointerdown", press, true);
    clearInterval(timer);
    unwatch();
  };
  return strip.stop;
}
