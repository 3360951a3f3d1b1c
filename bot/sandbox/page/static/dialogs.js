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
  const giveBack = focusGivenBack();
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    const closed = () => {
      giveBack();
      resolve(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}

// The browser knows the button that opened a dialog, but not the one that took its place when the message was redrawn.
function focusGivenBack() {
  const opener = document.activeElement;
  const holder = opener?.closest("[data-holder]");
  const action = opener?.dataset.action;
  return () => {
    if (!action || opener.isConnected) return;
    holder?.querySelector(`[data-action="${CSS.escape(action)}"]`)?.focus();
  };
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
