// Says what to press, or why the camera cannot start, where the browser knows.
const WORDS = {
  insecure: ["Camera needs a secure page",
    "Browsers give the camera only to pages on HTTPS or on localhost. Open this page that way, or use a photo instead."],
  missing: ["No camera found",
    "This device offers no camera to the browser. Connect one, or use a photo instead."],
  denied: ["Camera access is blocked",
    "The browser was told not to give this page the camera. Allow it in the address bar, then press Start camera; or use a photo instead."],
};

async function trouble() {
  if (!window.isSecureContext || !navigator.mediaDevices) return "insecure";
  const devices = await navigator.mediaDevices.enumerateDevices();
  if (!devices.some((device) => device.kind === "videoinput")) return "missing";
  const permission = await cameraPermission();
  return permission?.state === "denied" ? "denied" : null;
}

// Some browsers do not tell; then only the Start button can.
const cameraPermission = () => navigator.permissions?.query({ name: "camera" }).catch(() => null);

export default function ({ parentElement }) {
  const box = parentElement.querySelector("[role=alert]");
  const hint = parentElement.querySelector("#hint");
  const [title, text] = box.children;
  const show = async () => {
    const words = WORDS[await trouble()];
    box.hidden = !words;
    hint.hidden = Boolean(words);
    [title.textContent, text.textContent] = words ?? ["", ""];
  };
  show();
  // Assigned, not added: this function may run again for the same page.
  if (navigator.mediaDevices) navigator.mediaDevices.ondevicechange = show;
  let permission = null;
  cameraPermission()?.then((status) => {
    permission = status;
    if (permission) permission.onchange = show;
  });
  return () => {
    if (navigator.mediaDevices) navigator.mediaDevices.ondevicechange = null;
    if (permission) permission.onchange = null;
  };
}
