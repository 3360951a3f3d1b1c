// The command line: completion by what is known, history by the arrow keys.
import { byId, el } from "./dom.js";

const input = byId("composer");
const box = byId("completions");
const COMMAND = "/release";
const VERBS = {
  start: ["<service> <version>", "move a service to a version in stages"],
  plan: ["<service> <version>", "show the plan, start nothing"],
  preflight: ["<service> [version]", "try the gates on the last days"],
  status: ["[release]", "where a release stands"],
  list: ["[active|scheduled|mine|all]", "list releases"],
  approve: ["<release> [note]", "say yes to the next increase"],
  pause: ["<release> [reason]", "stop the plan where it is"],
  resume: ["<release>", "go on after a pause"],
  rollback: ["<release> [reason]", "all traffic back to the baseline, now"],
  schedule: ["<release> at <time>", "let it wait for a time"],
  override: ["<release> <reason>", "go on against a failing gate"],
  drift: ["<release> adopt|restore|stop", "answer a change made by hand"],
  help: ["[subcommand]", "all of this, or one in full"],
};
const CHOICES = { list: ["active", "scheduled", "mine", "all"], drift: ["adopt", "restore", "stop"] };
const OPTIONS = [["steps=5,25,50,100", "percent of each stage"], ["hold=10s", "how long each stage holds"], ["approve=every", "or final, or none"]];

let releases = () => [];
let submit = async () => {};
let options = [];
let at = -1;
const history = [];
let past = 0;

export function connect(knownReleases, send) {
  releases = knownReleases;
  submit = send;
}

export function put(text) {
  input.value = text;
  input.focus();
  offer();
}

// What may follow the words so far, as [whole line, words shown, explanation].
function candidates(line) {
  if (!line.startsWith("/")) return [];
  if (!line.startsWith(`${COMMAND} `)) return COMMAND.startsWith(line) ? [[`${COMMAND} `, COMMAND, "releases"]] : [];
  const words = line.slice(COMMAND.length + 1).split(" ");
  const [last, before] = [words.at(-1), words.slice(0, -1)];
  const lead = [COMMAND, ...before].join(" ");
  return next(before).filter(([word]) => word.startsWith(last) && word !== last).map(([word, ...rest]) => [`${lead} ${word} `, rest[1] ?? word, rest[0] ?? ""]);
}

function next(before) {
  const [verb, ...rest] = before;
  if (!verb) return Object.entries(VERBS).map(([name, [usage, does]]) => [name, does, `${name} ${usage}`]);
  if (verb === "help") return rest.length ? [] : Object.keys(VERBS).map((name) => [name, VERBS[name][1]]);
  if (verb === "start" || verb === "plan" || verb === "preflight") {
    if (!rest.length) return [["reviews", "the shop's service"]];
    if (rest.length === 1) return [["v2", "the new version"], ["v1", "the old version"]];
    return verb === "preflight" ? [] : OPTIONS;
  }
  if (verb === "list") return rest.length ? [] : CHOICES.list.map((word) => [word]);
  if (!VERBS[verb]) return [];
  if (!rest.length) return [...releases().map((id) => [id, "release"]), ["reviews", "its present release"]];
  return rest.length === 1 && CHOICES[verb] ? CHOICES[verb].map((word) => [word]) : [];
}

function offer() {
  options = candidates(input.value);
  at = -1;
  box.replaceChildren(...options.map(([, words, explanation], n) => el("li", { role: "option", id: `completion-${n}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(n); } }, el("span", null, words), el("span", null, explanation))));
  const isOpen = options.length > 0;
  box.hidden = !isOpen;
  input.setAttribute("aria-expanded", String(isOpen));
  input.removeAttribute("aria-activedescendant");
}

function mark(n) {
  at = (n + options.length) % options.length;
  [...box.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
  box.children[at].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `completion-${at}`);
}

function take(n) {
  input.value = options[n][0];
  offer();
}

function close() {
  options = [];
  box.hidden = true;
  input.setAttribute("aria-expanded", "false");
}

function recall(step) {
  past = Math.max(0, Math.min(history.length, past + step));
  input.value = history[past] ?? "";
  close();
}

const KEYS = {
  ArrowDown: () => (options.length ? mark(at + 1) : recall(1)),
  ArrowUp: () => (options.length && input.value ? mark(at - 1) : recall(-1)),
  Tab: () => options.length > 0 && take(Math.max(at, 0)),
  Enter: () => options.length > 0 && at >= 0 && take(at),
  Escape: () => options.length > 0 && close(),
};

input.addEventListener("input", offer);
input.addEventListener("blur", close);
input.addEventListener("keydown", (event) => {
  if (event.shiftKey || event.isComposing) return;
  // What a key did nothing with stays the browser's: Tab moves on, Enter sends.
  if (KEYS[event.key] && KEYS[event.key]() !== false) event.preventDefault();
});

byId("composer-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  close();
  if (history.at(-1) !== text) history.push(text);
  past = history.length;
  byId("notice").textContent = "";
  if (!(await submit(text)) && !input.value) input.value = text;
});
