// The channel: root messages in order, each with its thread; only what changed is drawn again.
import { byId, clock, el, svg } from "./dom.js";
import { blocks, picture } from "./blocks.js";
import { mrkdwn } from "./mrkdwn.js";

const list = byId("channel");
const scroll = byId("scroll");
const shown = new Map(); // ts -> {node, digest}
const threads = new Map(); // ts of the root -> {box, items, toggle, isOpen, wasTouched}

export function clear() {
  shown.clear();
  threads.clear();
  list.replaceChildren();
}

export function draw(messages, context) {
  const wasAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
  const isFirst = shown.size === 0;
  const known = new Set(messages.map((message) => message.ts));
  for (const [ts, one] of shown) if (!known.has(ts)) { one.node.closest("[data-holder]")?.remove(); one.node.remove(); shown.delete(ts); }
  const roots = messages.filter((message) => !isReply(message, known));
  // A new root message or private answer is brought into sight; a reply further up is not.
  let arrived = null;
  for (const message of roots) arrived = placeRoot(message, context) ?? arrived;
  for (const message of messages) if (isReply(message, known)) placeReply(message, context);
  for (const message of roots) countReplies(message.ts);
  openNewest(roots);
  byId("empty").hidden = messages.length > 0;
  if (wasAtEnd || isFirst) requestAnimationFrame(() => { scroll.scrollTop = scroll.scrollHeight; });
  else if (arrived) requestAnimationFrame(() => arrived.scrollIntoView({ block: "nearest" }));
}

const isReply = (message, known) => message.thread_ts && message.thread_ts !== message.ts && known.has(message.thread_ts);

function placeRoot(message, context) {
  const node = redraw(message, context);
  if (!node) return null;
  const holder = el("li", { "data-holder": message.ts }, node);
  insert(list, holder, message.ts);
  return holder;
}

function placeReply(message, context) {
  const node = redraw(message, context);
  if (!node) return;
  insert(threadOf(message.thread_ts).items, el("li", { "data-holder": message.ts }, node), message.ts);
}

function insert(parent, holder, ts) {
  const next = [...parent.children].find((one) => Number(one.dataset.holder) > Number(ts));
  parent.insertBefore(holder, next ?? null);
}

// The node when it is new and must be put somewhere; null when it was changed in place or is unchanged.
function redraw(message, context) {
  const digest = JSON.stringify(message) + context.names.me;
  const old = shown.get(message.ts);
  if (old?.digest === digest) return null;
  const focus = old?.node.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  const node = article(message, context, !old);
  shown.set(message.ts, { node, digest });
  if (!old) return node;
  old.node.replaceWith(node);
  if (focus) node.querySelector(`[data-action="${CSS.escape(focus)}"]`)?.focus();
  return null;
}

function article(message, context, isFresh) {
  const act = (element, value) => context.act(message, element, value);
  const inside = { names: context.names, act };
  const kind = ["message", isFresh ? "fresh" : "", message.ephemeral ? "private" : ""].filter(Boolean).join(" ");
  const body = message.blocks.length ? blocks(message.blocks, inside) : [mrkdwn(message.text, context.names)];
  const files = message.files.filter((file) => file.mimetype?.startsWith("image/"));
  const pictures = files.map((file) => picture(`/api/files/${file.id}`, file.alt_txt ?? file.title, file.title));
  return el("article", { class: kind, "data-testid": "message", "data-ts": message.ts, "aria-label": `${message.name}, ${clock(Number(message.ts))}` },
    message.ephemeral ? el("p", { class: "only" }, eye(), "Only visible to you") : null,
    avatar(message.name, message.bot),
    el("div", { class: "body" }, head(message), ...body, ...pictures),
  );
}

function head(message) {
  return el("div", { class: "head" }, el("b", null, message.name === "slackbot" ? "Slackbot" : message.name), message.bot ? el("span", { class: "app" }, "APP") : null,
    el("time", { datetime: new Date(Number(message.ts) * 1000).toISOString() }, clock(Number(message.ts))),
    message.broadcast ? el("span", { class: "quiet" }, "replied to a thread") : null,
    message.edited ? el("span", { class: "edited" }, "(edited)") : null);
}

export function avatar(name, isApp) {
  const face = isApp ? el("img", { src: "/static/icon.svg", alt: "" }) : name[0].toUpperCase();
  return el("span", { class: "avatar", "data-name": name, "aria-hidden": "true" }, face);
}

const eye = () => svg("svg", { viewBox: "0 0 20 20", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { d: "M1 10s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6z", fill: "none", stroke: "currentColor", "stroke-width": 1.6 }), svg("circle", { cx: 10, cy: 10, r: 2.6, fill: "currentColor" }));

function threadOf(root) {
  const known = threads.get(root);
  if (known) return known;
  const items = el("ol", { class: "thread", "data-testid": "thread", "data-root": root, id: `thread-${root}`, "aria-label": "Thread", hidden: true });
  const toggle = el("button", { type: "button", class: "replies-toggle", "aria-expanded": "false", "aria-controls": `thread-${root}` });
  const thread = { items, toggle, isOpen: false, wasTouched: false };
  toggle.addEventListener("click", () => { thread.wasTouched = true; open(thread, !thread.isOpen); });
  shown.get(root).node.after(el("div", { class: "replies" }, toggle, items));
  threads.set(root, thread);
  return thread;
}

function open(thread, isOpen) {
  thread.isOpen = isOpen;
  thread.items.hidden = !isOpen;
  thread.toggle.setAttribute("aria-expanded", String(isOpen));
}

function countReplies(root) {
  const thread = threads.get(root);
  if (!thread) return;
  const number = thread.items.children.length;
  thread.toggle.replaceChildren(chevron(), `${number} ${number === 1 ? "reply" : "replies"}`);
}

const chevron = () => svg("svg", { viewBox: "0 0 12 12", width: 10, height: 10, "aria-hidden": "true" }, svg("path", { d: "M4 2l4 4-4 4", fill: "none", stroke: "currentColor", "stroke-width": 1.8 }));

// The newest thread is open until somebody closes it; older ones close when a newer begins.
function openNewest(roots) {
  const withThread = roots.filter((message) => threads.has(message.ts));
  for (const message of withThread) {
    const thread = threads.get(message.ts);
    const isNewest = message === withThread.at(-1);
    if (!thread.wasTouched && thread.isOpen !== isNewest) open(thread, isNewest);
  }
}
