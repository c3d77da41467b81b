// A confusion matrix whose cells are buttons: reached by mouse and keyboard, read out as a table.
const make = (tag, text) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  return node;
};

function head(word, color, scope) {
  const cell = make("th");
  cell.scope = scope;
  const swatch = make("i");
  swatch.style.background = color;
  cell.append(swatch, make("span", word));
  return cell;
}

export default function ({ parentElement, data, setTriggerValue }) {
  const table = parentElement.querySelector("table");
  if (table.dataset.version === data.version) return;
  table.dataset.version = data.version;
  const said = make("tr");
  said.append(make("td"), ...data.labels.map((label, k) => head(label, data.colors[k], "col")));
  const rows = data.cells.map((cells, i) => {
    const row = make("tr");
    row.append(head(data.labels[i], data.colors[i], "row"));
    cells.forEach((each, j) => {
      const cell = make("td");
      const button = make("button", each.text);
      button.title = each.title;
      button.setAttribute("aria-label", each.title);
      button.setAttribute("aria-pressed", String(data.chosen === `${i}-${j}`));
      button.style.setProperty("--share", each.share);
      button.className = i === j ? "right" : "wrong";
      button.disabled = each.count === 0;
      button.onclick = () => setTriggerValue("picked", [i, j]);
      cell.append(button);
      row.append(cell);
    });
    return row;
  });
  const top = make("thead");
  const body = make("tbody");
  top.append(said);
  body.append(...rows);
  table.replaceChildren(make("caption", data.caption), top, body);
}
