// Tells the server when this tab goes into the background, and when it is back.
const HIDDEN_AFTER_MS = 3000; // a short look elsewhere changes nothing

export default function ({ setStateValue, data }) {
  let timer = null;
  const tell = () => {
    clearTimeout(timer);
    if (document.hidden === data.hidden) return;
    timer = setTimeout(() => setStateValue("hidden", document.hidden), document.hidden ? HIDDEN_AFTER_MS : 0);
  };
  tell();
  document.addEventListener("visibilitychange", tell);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", tell);
  };
}
