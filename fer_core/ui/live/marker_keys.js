// Keys 1 to 9 put a marker into a recording, with Shift they begin or end a range; not while something is typed.
const KEPT = 20; // so many presses are sent again, in case the page misses a message
const typing = (target) => target?.closest?.("input, textarea, select, [contenteditable=true]");

export default function ({ setStateValue }) {
  const page = Math.random().toString(36).slice(2);
  const presses = [];
  let count = 0;
  const press = (event) => {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (!digit || event.repeat || event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    event.preventDefault();
    presses.push({ id: `${page}-${++count}`, digit: Number(digit), range: event.shiftKey, at_ms: Date.now() });
    setStateValue("presses", presses.slice(-KEPT));
  };
  // Assigned, not added: this function may run again for the same page.
  if (window.ferMarkerKeys) document.removeEventListener("keydown", window.ferMarkerKeys);
  window.ferMarkerKeys = press;
  document.addEventListener("keydown", press);
  return () => {
    document.removeEventListener("keydown", press);
    if (window.ferMarkerKeys === press) window.ferMarkerKeys = null;
  };
}
