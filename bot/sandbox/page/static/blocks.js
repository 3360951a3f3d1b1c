// Block Kit as Slack lays it out.
import { el } from "./dom.js";
import { showPicture } from "./dialogs.js";
import { inline, mrkdwn } from "./mrkdwn.js";
import { signed } from "./signs.js";

const worded = (text, context) => (text.type === "mrkdwn" ? mrkdwn(text.text, context.names) : el("div", null, signed(text.text)));

export function blocks(list, context) {
  return list.map((block) => RENDERERS[block.type]?.(block, context) ?? unknown(block));
}

const RENDERERS = {
  header: (block) => el("h4", { class: "block-header" }, signed(block.text.text)),
  divider: () => el("hr", { class: "divider" }),
  section: (block, context) => el("div", { class: "section" }, el("div", null, ...contents(block, context)), accessory(block, context)),
  context: (block, context) => el("div", { class: "context" }, block.elements.map((one) => (one.type === "image" ? el("img", { src: address(one), alt: one.alt_text }) : inline(one.text, context.names)))),
  actions: (block, context) => el("div", { class: "actions" }, block.elements.map((one) => element(one, context))),
  image: (block) => picture(address(block), block.alt_text ?? "", block.title?.text),
  rich_text: (block) => el("div", { class: "mrkdwn" }, richText(block.elements)),
};

function contents(block, context) {
  const parts = [];
  if (block.text) parts.push(worded(block.text, context));
  if (block.fields) parts.push(el("div", { class: "fields" }, block.fields.map((field) => worded(field, context))));
  return parts;
}

const accessory = (block, context) => (block.accessory ? element(block.accessory, context) : null);

function element(one, context) {
  if (one.type === "image") return el("img", { src: address(one), alt: one.alt_text, width: 72 });
  if (one.type === "button") return button(one, context);
  if (one.options) return menu(one, context);
  return unknown(one);
}

function button(one, context) {
  const attributes = { type: "button", class: one.style ?? "plain", "data-action": one.action_id, onclick: () => context.act(one) };
  if (one.url) return el("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, one.text.text);
  return el("button", attributes, signed(one.text.text));
}

function menu(one, context) {
  const choose = (event) => event.target.value && context.act(one, event.target.value);
  const options = one.options.map((option) => el("option", { value: option.value }, option.text.text));
  return el("select", { "aria-label": one.placeholder?.text ?? "More", onchange: choose }, el("option", { value: "" }, one.placeholder?.text ?? "More…"), options);
}

const unknown = (block) => el("p", { class: "quiet" }, `(${block.type}: not shown by this page)`);
const richText = (elements) => elements.flatMap((one) => (one.elements ? [richText(one.elements), "\n"] : [one.text ?? one.url ?? ""])).flat();

// Slack's own files are served by this page; their id stands in both forms of a reference.
function address(block) {
  const reference = block.slack_file;
  if (!reference) return block.image_url;
  return `/api/files/${reference.id ?? reference.url.split("/").at(-2)}`;
}

export function picture(source, words, title) {
  const open = el("button", { type: "button", "aria-label": `Enlarge the picture: ${words || title || "chart"}`, onclick: () => showPicture(source, words) }, el("img", { src: source, alt: words, loading: "lazy" }));
  return el("figure", { class: "image" }, title ? el("figcaption", null, title) : null, open);
}
