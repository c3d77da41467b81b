// A button on each face of the marked picture, which Streamlit draws; it stays there when the picture's size changes.
const container = () => document.querySelector(".st-key-media_picture");

function button({ row, name, left, top, width, height }) {
  const node = document.createElement("button");
  node.dataset.row = row;
  node.title = name;
  node.setAttribute("aria-label", `Look closer at ${name}`);
  const percent = (share) => `${share * 100}%`;
  Object.assign(node.style, { left: percent(left), top: percent(top), width: percent(width), height: percent(height) });
  node.style.zIndex = Math.round(1000 * (1 - width)); // a smaller face lies above a larger one
  return node;
}

export default function ({ parentElement, data, setTriggerValue }) {
  const layer = parentElement.querySelector(".layer");
  const version = JSON.stringify(data.faces);
  if (layer.dataset.version !== version) {
    layer.replaceChildren(...data.faces.map(button));
    layer.dataset.version = version;
  }
  layer.onclick = (event) => {
    const face = event.target.closest("button");
    if (face) setTriggerValue("opened", Number(face.dataset.row));
  };
  const place = () => {
    const picture = container()?.querySelector("img");
    layer.hidden = !picture;
    if (!picture) return;
    const here = (layer.getRootNode().host ?? parentElement).getBoundingClientRect();
    const { left, top, width, height } = picture.getBoundingClientRect();
    Object.assign(layer.style, {
      left: `${left - here.left}px`, top: `${top - here.top}px`, width: `${width}px`, height: `${height}px`,
    });
  };
  const observer = new ResizeObserver(place);
  const box = container();
  if (box) observer.observe(box);
  box?.addEventListener("load", place, true);
  place();
  return () => {
    observer.disconnect();
    box?.removeEventListener("load", place, true);
  };
}
