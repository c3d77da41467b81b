// The last minute as lanes: a panel for each face, a lane for each expression, taller where its score was higher.
const FILL = 0.86; // share of a lane's height that 100 % fills
const TOP_PX = 22, BOTTOM_PX = 24, GAP_PX = 24, RIGHT_PX = 10, LETTER_PX = 6.4, NARROW_PX = 380;
const NEAR_PX = 12; // so far from the pointer the nearest moment may be
const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

// Where things are for a width; x of a face's moment, y of a lane's base.
function layout({ labels, faces, window_s }, width, height) {
  const left = 12 + LETTER_PX * Math.max(...labels.map((label) => label.length));
  const wide = (width - left - RIGHT_PX - GAP_PX * (faces.length - 1)) / faces.length;
  const top = faces.length > 1 ? TOP_PX : 4;
  const tall = (height - top - BOTTOM_PX) / labels.length;
  const start = (panel) => left + panel * (wide + GAP_PX);
  return {
    left, wide, top, tall, start,
    x: (panel, ago) => start(panel) + wide * Math.max(0, 1 - ago / window_s),
    base: (lane) => top + (lane + 1) * tall,
  };
}

// One outline for each stretch in which the face was there.
function outline(at, panel, lane, agos, scores) {
  const parts = [];
  let open = false;
  const close = (i) => { parts.push(`V${at.base(lane).toFixed(1)}Z`); open = false; };
  agos.forEach((ago, i) => {
    if (scores[i] === null) { if (open) close(i); return; }
    const x = at.x(panel, ago).toFixed(1), y = (at.base(lane) - FILL * at.tall * scores[i] / 100).toFixed(1);
    parts.push(open ? `L${x} ${y}` : `M${x} ${at.base(lane).toFixed(1)}V${y}`);
    open = true;
  });
  if (open) close(agos.length);
  return parts.join("");
}

function draw(svg, data, width, height) {
  const at = layout(data, width, height), { labels, colors, faces, window_s } = data;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  labels.forEach((label, lane) => {
    add(svg, "text", { x: at.left - 8, y: at.base(lane) - 5, "text-anchor": "end" }, label);
    faces.forEach((_, panel) =>
      add(svg, "path", { d: `M${at.start(panel)} ${at.base(lane)}h${at.wide}`, class: "base" }));
  });
  const ticks = faces.length > 2 ? [0.5] : faces.length === 2 ? [0.75, 0.25]
    : at.wide < NARROW_PX ? [1, 0.5, 0] : [1, 0.75, 0.5, 0.25, 0];
  faces.forEach((face, panel) => {
    if (faces.length > 1) add(svg, "text", { x: at.start(panel), y: 14 }, face.title);
    for (const share of ticks) {
      const anchor = share === 0 ? "end" : share === 1 ? "start" : "middle";
      const text = share ? `${Math.round(share * window_s)} s ago` : "now";
      add(svg, "text", { x: at.x(panel, share * window_s), y: height - 6, "text-anchor": anchor }, text);
    }
    labels.forEach((_, lane) =>
      add(svg, "path", { d: outline(at, panel, lane, face.ago_s, face.scores[lane]), fill: colors[lane] }));
  });
  return at;
}

// The words under the pointer: the score of a lane at the moment nearest to it.
function told(data, at, x, y) {
  const panel = data.faces.findIndex((_, i) => x >= at.start(i) && x <= at.start(i) + at.wide);
  const lane = Math.floor((y - at.top) / at.tall);
  if (panel < 0 || lane < 0 || lane >= data.labels.length) return "";
  const { ago_s, scores } = data.faces[panel];
  let near = 0;
  ago_s.forEach((ago, i) => { if (Math.abs(at.x(panel, ago) - x) < Math.abs(at.x(panel, ago_s[near]) - x)) near = i; });
  const score = scores[lane][near];
  return score === null || Math.abs(at.x(panel, ago_s[near]) - x) > NEAR_PX ? "" : `${data.labels[lane]} ${score} % · ${Math.round(ago_s[near])} s ago`;
}

// Keeps the words at the pointer true while what is under it moves on.
function point(box, tip, data, at) {
  const spot = box.pointer;
  tip.textContent = spot && at ? told(data, at, spot.x, spot.y) : "";
  tip.hidden = !tip.textContent;
  if (tip.hidden) return;
  tip.style.left = `${Math.min(spot.x + 12, box.clientWidth - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.max(0, spot.y - 30)}px`;
}

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector("#lanes"), [svg, tip] = box.children;
  let at = null;
  const show = () => {
    if (box.clientWidth) at = draw(svg, data, box.clientWidth, box.clientHeight);
    point(box, tip, data, at);
  };
  show();
  const watch = new ResizeObserver(show);
  watch.observe(box);
  // Assigned, not added: this function runs again with each new data.
  box.onpointermove = (event) => {
    const place = box.getBoundingClientRect();
    box.pointer = { x: event.clientX - place.left, y: event.clientY - place.top };
    point(box, tip, data, at);
  };
  box.onpointerleave = () => {
    box.pointer = null;
    point(box, tip, data, at);
  };
  return () => watch.disconnect();
}
