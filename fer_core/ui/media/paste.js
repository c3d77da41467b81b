// What is pasted goes into the file uploader's own input: limits, types and messages are those of chosen files.
const COPY = "Copy a picture and paste it again.";

let pasted = 0; // every picture from a clipboard is called image.png

function named(file) {
  if (!/^image\.\w+$/i.test(file.name)) return file;
  pasted += 1;
  return new File([file], `pasted-${pasted}.${file.name.split(".").pop()}`, { type: file.type });
}

function give(input, files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(named(file));
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

export default function ({ parentElement, data }) {
  const status = parentElement.querySelector("p");
  const paste = (event) => {
    const input = document.querySelector(`.st-key-${data.uploader} input[type=file]`);
    const files = [...(event.clipboardData?.files ?? [])];
    // Text goes into the field that has the focus, and a dialog lies over the uploader.
    const elsewhere = event.composedPath()[0].closest?.("input, textarea, [contenteditable=true]");
    if (!input || document.querySelector("[role=dialog]") || (elsewhere && !files.length)) return;
    event.preventDefault();
    const holdsText = [...(event.clipboardData?.types ?? [])].some((type) => type.startsWith("text/"));
    status.textContent = files.length ? "" : `The clipboard holds ${holdsText ? "text, not a picture" : "no picture"}. ${COPY}`;
    if (files.length) give(input, files);
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
