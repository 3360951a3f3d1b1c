// Wires the page: who one is, what one sees, what one does.
import { Refusal, follow, post } from "./api.js";
import * as charts from "./charts.js";
import * as composer from "./composer.js";
import { ask } from "./dialogs.js";
import { byId, el } from "./dom.js";
import * as flow from "./flow.js";
import * as mesh from "./mesh.js";
import * as messages from "./messages.js";

const SUGGESTIONS = ["/release start reviews v2", "/release plan reviews v2 steps=10,50,100", "/release help"];
const names = { me: "", users: {}, channels: {}, groups: { S0APPROVE: "release-approvers", S0ONCALL: "on-call" } };
let user = "alice", source = null, seen = [], people = "";

const guarded = async (work) => {
  try {
    byId("notice").textContent = "";
    await work();
    return true;
  } catch (error) {
    byId("notice").textContent = error instanceof Refusal ? error.message : "The sandbox does not answer; is it still running?";
    return false;
  }
};

async function act(message, element, value) {
  if (element.confirm && !(await ask(element.confirm, names))) return;
  await guarded(() => post("/api/click", { user, ts: message.ts, action_id: element.action_id, value: value ?? element.value ?? null }));
}

const context = { names, act };

function knownReleases() {
  const found = JSON.stringify(seen).matchAll(/"(?:gate|card):([a-z0-9.-]+-\d+):/g);
  return [...new Set([...found].map((one) => one[1]))].reverse();
}

function become(name) {
  user = name;
  source?.close();
  messages.clear();
  seen = [];
  source = follow(user, {
    messages: (list) => { seen = list; messages.draw(list, context); },
    state: drawState,
    away: () => drawBot({ standing: "away", reasons: ["the sandbox does not answer"] }),
  });
}

function drawState(state) {
  drawBot(state.bot);
  drawPeople(state.users);
  drawParts(state.stand_ins);
  if (!state.mesh) return;
  mesh.draw(state.mesh);
  charts.draw(state.mesh, state.at);
  flow.feed(state.mesh);
}

const STANDINGS = { starting: "bot is starting…", ready: "bot is ready", "not ready": "bot is not ready", ended: "bot has ended, starting it again…", away: "sandbox has ended" };

function drawBot(bot) {
  const chip = byId("bot");
  if (chip.dataset.standing === bot.standing && chip.title === bot.reasons.join("; ")) return;
  chip.dataset.standing = bot.standing;
  chip.title = bot.reasons.join("; ");
  byId("bot-text").textContent = STANDINGS[bot.standing];
  if (bot.tail) byId("notice").textContent = `The bot has ended. Its last words: ${bot.tail.split("\n").at(-1)}`;
}

function drawPeople(users) {
  const digest = JSON.stringify(users);
  if (digest === people) return;
  people = digest;
  for (const one of users) names.users[one.id] = one.name;
  names.me = users.find((one) => one.name === user)?.id ?? "";
  byId("people").replaceChildren(el("legend", null, "You are"), ...users.map(person));
}

function person(one) {
  const choose = () => { names.me = one.id; become(one.name); };
  return el("div", { class: "person" },
    el("input", { type: "radio", name: "person", id: `person-${one.name}`, "data-testid": `user-${one.name}`, value: one.name, checked: one.name === user, onchange: choose }),
    el("label", { for: `person-${one.name}` }, messages.avatar(one.name), one.name, el("small", null, one.role)));
}

let partsShown = "";
function drawParts(standIns) {
  if (standIns.join() === partsShown) return;
  partsShown = standIns.join();
  const isStandIn = (word) => standIns.some((one) => one.startsWith(word));
  const real = ["The bot, every line of it", isStandIn("Envoy") ? null : "Envoy, and every request through it", isStandIn("Prometheus") ? null : "Prometheus", "The pods of v1 and v2, as processes"].filter(Boolean);
  byId("parts-body").replaceChildren(el("h3", null, "Real"), el("ul", null, real.map((one) => el("li", null, one))), el("h3", null, "Stand-ins that speak the real protocols"), el("ul", null, standIns.map((one) => el("li", null, one))));
}

function showTab(name) {
  document.body.dataset.tab = name;
  for (const one of ["channel", "mesh"]) {
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    byId(`tab-${one}`).tabIndex = one === name ? 0 : -1;
  }
}
for (const [name, other] of [["channel", "mesh"], ["mesh", "channel"]]) {
  byId(`tab-${name}`).addEventListener("click", () => showTab(name));
  byId(`tab-${name}`).addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    showTab(other);
    byId(`tab-${other}`).focus();
  });
}
addEventListener("click", (event) => { if (!byId("parts").contains(event.target)) byId("parts").open = false; });
addEventListener("keydown", (event) => { if (event.key === "Escape") byId("parts").open = false; });
byId("suggestions").append(...SUGGESTIONS.map((text) => el("button", { type: "button", onclick: () => composer.put(text) }, text)));
composer.connect(knownReleases, (text) => guarded(() => post("/api/command", { user, text })));
become(user);
