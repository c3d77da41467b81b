// A wall of faces: a click opens one, the check marks several, the bar below acts on those.
const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};

function tile(face, selectable) {
  const box = make("div", "face");
  box.dataset.row = face.row;
  if (face.mark) box.dataset.mark = face.mark === "exclude" ? "exclude" : "relabel";
  const open = make("button", "open");
  open.title = face.title;
  const image = make("img");
  image.src = face.src;
  image.alt = face.title;
  image.decoding = "async";
  open.append(image);
  box.append(open);
  if (selectable) {
    const check = make("input", "check");
    check.type = "checkbox";
    check.setAttribute("aria-label", `Select row ${face.row}`);
    box.append(check);
  }
  const caption = make("div", "caption");
  const swatch = make("i");
  swatch.style.background = face.color;
  caption.append(swatch, make("span", "word", face.word));
  box.append(caption);
  if (face.note) box.append(make("div", "note", face.note));
  return box;
}

function build(wall, data) {
  // A control that disappears takes the keyboard's focus with it, and Escape then no longer closes a dialog.
  const focused = wall.contains(wall.getRootNode().activeElement);
  wall.replaceChildren(...data.groups.map((group) => {
    const section = make("section", group.caption ? "group" : "plain");
    if (group.caption) section.append(make("p", "about", group.caption));
    const faces = make("div", "faces");
    faces.append(...group.faces.map((face) => tile(face, data.selectable)));
    section.append(faces);
    return section;
  }));
  if (focused) wall.querySelector(".open")?.focus({ preventScroll: true });
  wall.style.setProperty("--face", `${data.size_px}px`);
  wall.classList.toggle("clusters", data.groups.length > 1);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const wall = parentElement.querySelector(".wall");
  const bar = parentElement.querySelector(".bar");
  const relabel = bar.querySelector("select");
  if (wall.dataset.version !== data.version) {
    build(wall, data);
    // Another page begins at its top, also for those who asked for it at the end of this one.
    const another = wall.dataset.first !== undefined && wall.dataset.first !== String(data.first);
    if (another && wall.getBoundingClientRect().top < 0) wall.scrollIntoView();
    wall.dataset.version = data.version;
    wall.dataset.first = data.first;
    relabel.replaceChildren(new Option("Relabel as…", ""), ...data.labels.map((label) => new Option(label, label)));
  }
  bar.querySelector(".tagging").hidden = !data.taggable;
  bar.querySelector("datalist").replaceChildren(...data.tags.map((name) => new Option(name)));
  const checks = [...wall.querySelectorAll(".check")];
  const chosen = () => checks.filter((check) => check.checked);
  let last = null;

  const refresh = () => {
    const count = chosen().length;
    bar.hidden = count === 0;
    wall.classList.toggle("choosing", count > 0);
    bar.querySelector("output").textContent = count === 1 ? "1 face selected" : `${count} faces selected`;
  };
  const act = (mark) => {
    setTriggerValue("marked", { rows: chosen().map((check) => Number(check.parentElement.dataset.row)), mark });
    clear();
  };
  const tag = bar.querySelector("[name=tag]");
  const addTag = () => {
    if (!tag.value.trim()) {
      tag.focus();
      return;
    }
    setTriggerValue("tagged", { rows: chosen().map((check) => Number(check.parentElement.dataset.row)), tag: tag.value });
    clear();
  };
  const clear = () => {
    for (const check of checks) check.checked = false;
    relabel.value = "";
    tag.value = "";
    refresh();
  };

  wall.onclick = (event) => {
    if (event.target.matches(".check")) {
      const at = checks.indexOf(event.target);
      if (event.shiftKey && last !== null) {
        for (let i = Math.min(at, last); i <= Math.max(at, last); i++) checks[i].checked = event.target.checked;
      }
      last = at;
      refresh();
      return;
    }
    const open = event.target.closest(".open");
    if (open) setTriggerValue("opened", Number(open.parentElement.dataset.row));
  };
  bar.querySelector("[name=exclude]").onclick = () => act("exclude");
  bar.querySelector("[name=unmark]").onclick = () => act("");
  bar.querySelector("[name=all]").onclick = () => {
    for (const check of checks) check.checked = true;
    refresh();
  };
  bar.querySelector("[name=clear]").onclick = clear;
  bar.querySelector("[name=tagged]").onclick = addTag;
  tag.onkeydown = (event) => event.key === "Enter" && addTag();
  relabel.onchange = () => relabel.value && act(relabel.value);
  refresh();
}
