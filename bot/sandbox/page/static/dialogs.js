// Real modal dialogs: the browser keeps the focus inside and gives it back.
import { byId } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

const words = (text) => text?.text ?? "";

// Asks back as Slack does; true when the person agrees.
export function ask(confirm, names) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = words(confirm.title);
  byId("confirm-text").replaceChildren(mrkdwn(words(confirm.text), names));
  byId("confirm-no").textContent = words(confirm.deny) || "Cancel";
  const yes = byId("confirm-yes");
  yes.textContent = words(confirm.confirm) || "Yes";
  yes.className = confirm.style === "danger" ? "danger filled" : "primary";
  dialog.returnValue = "no";
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

export function showPicture(source, words) {
  const image = byId("picture-image");
  image.src = source;
  image.alt = words;
  byId("picture-caption").textContent = words;
  byId("picture").showModal();
}

byId("picture").addEventListener("click", (event) => {
  if (event.target === byId("picture")) byId("picture").close();
});
