// Slack's mrkdwn as nodes.
import { el } from "./dom.js";
import { signed } from "./signs.js";

const decode = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const plain = (text) => signed(decode(text));
// In this order: what stands in code is taken as it is.
const INLINE = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>]+)>|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])/g;

export function mrkdwn(text, names) {
  return el("div", { class: "mrkdwn" }, quoted(text, names));
}

export const inline = (text, names) => el("span", { class: "mrkdwn" }, spans(text, names));

function quoted(text, names) {
  if (!/^&gt;/m.test(text)) return spans(text, names);
  const parts = [];
  for (const line of text.split("\n")) {
    const inQuote = line.startsWith("&gt;");
    const words = inQuote ? line.slice(4).replace(/^ /, "") : line;
    const last = parts.at(-1);
    if (last && last.inQuote === inQuote) last.lines.push(words);
    else parts.push({ inQuote, lines: [words] });
  }
  return parts.map((part) => {
    const inside = spans(part.lines.join("\n"), names);
    return part.inQuote ? el("blockquote", null, inside) : el("div", null, inside);
  });
}

function spans(text, names) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(...plain(text.slice(at, found.index)));
    nodes.push(span(found, names));
    at = found.index + found[0].length;
  }
  nodes.push(...plain(text.slice(at)));
  return nodes;
}

function span([, block, code, control, bold, italic, strike], names) {
  if (block !== undefined) return el("pre", { tabindex: "0" }, plain(block.replace(/^\n|\n$/g, "")));
  if (code !== undefined) return el("code", null, plain(code));
  if (control !== undefined) return controlled(control, names);
  if (bold !== undefined) return el("b", null, spans(bold, names));
  if (italic !== undefined) return el("i", null, spans(italic, names));
  return el("s", null, spans(strike, names));
}

function controlled(control, names) {
  const [target, label] = [control.split("|")[0], control.split("|").slice(1).join("|")];
  if (target.startsWith("!date^")) return moment(target, label);
  if (target.startsWith("@")) return mention(`@${names.users[target.slice(1)] ?? label ?? target.slice(1)}`, target.slice(1) === names.me);
  if (target.startsWith("#")) return mention(`#${label || names.channels[target.slice(1)] || target.slice(1)}`);
  if (target.startsWith("!subteam^")) return mention(label || `@${names.groups[target.slice(9)] ?? target.slice(9)}`);
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`);
  const shown = plain(label || target);
  if (!/^(https?:|mailto:)/.test(target)) return el("span", null, shown);
  return el("a", { href: decode(target), target: "_blank", rel: "noopener noreferrer" }, shown);
}

const mention = (text, isMe) => el("span", { class: isMe ? "mention me" : "mention" }, text);

const PARTS = {
  date_num: (d) => d.toISOString().slice(0, 10),
  date: (d) => d.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" }),
  date_short: (d) => d.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" }),
  date_long: (d) => d.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  date_pretty: (d) => PARTS.date(d), date_short_pretty: (d) => PARTS.date_short(d), date_long_pretty: (d) => PARTS.date_long(d),
  time: (d) => d.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }),
  time_secs: (d) => d.toLocaleTimeString("en-GB"),
};

function moment(target, fallback) {
  const [, seconds, format] = target.split("^");
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const shown = format.replace(/\{(\w+)\}/g, (token, name) => (PARTS[name] ? PARTS[name](date) : token));
  return el("time", { datetime: date.toISOString(), title: date.toISOString() }, shown);
}
