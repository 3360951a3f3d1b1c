// Figures, pods, knobs and the route.
import { byId, el, percent, whole } from "./dom.js";
import { post } from "./api.js";

const VERSIONS = ["v1", "v2"];
const errors = byId("knob-errors"), delay = byId("knob-delay"), dead = byId("knob-dead"), lost = byId("knob-orders");
const rate = byId("knob-rate"), dependency = byId("knob-dependency");
let held = 0; // until when the person's own hand on a knob counts more than what the server says

export function draw(mesh) {
  const recent = mesh.seconds.slice(-3);
  for (const version of VERSIONS) {
    const card = byId(`card-${version}`);
    const requests = recent.reduce((sum, one) => sum + (one.versions[version]?.requests ?? 0), 0);
    card.querySelector(".share").textContent = mesh.share ? percent(mesh.share[version]) : "–";
    card.querySelector('[data-role="asked"]').textContent = mesh.asked_words[version];
    const copies = version === "v2" && mesh.copies ? `${whole(mesh.copies)} copies/s` : "";
    const rate = recent.length ? `${whole(requests / recent.length)} req/s` : "–";
    card.querySelector('[data-role="rate"]').textContent = copies && !requests ? copies : rate;
    card.querySelector(".pods").replaceChildren(...mesh.pods.filter((pod) => pod.version === version).map(podItem));
  }
  byId("tab-share").textContent = mesh.share ? `· v2 ${percent(mesh.share.v2)}` : "";
  byId("rate").textContent = `${whole(mesh.rate)} req/s`;
  byId("sent").textContent = whole(mesh.total.sent);
  const failed = byId("failed");
  failed.textContent = `${whole(mesh.total.failed)} failed`;
  failed.dataset.some = String(mesh.total.failed > 0);
  if (Date.now() > held) showKnobs(mesh.knobs.v2, mesh.rate);
  route(mesh.yaml);
}

function podItem(pod) {
  const word = pod.ready ? "ready" : pod.reason ?? "not ready";
  return el("li", { class: "pod", "data-ready": String(pod.ready), title: `${pod.name}: ${word}, ${pod.restarts} restarts` }, word);
}

function showKnobs(knobs, callers) {
  errors.value = Math.round(knobs.error_rate * 100);
  delay.value = knobs.delay_ms;
  lost.value = Math.round((1 - knobs.orders) * 100);
  dead.checked = knobs.dead;
  dependency.value = Math.round(knobs.dependency * 100);
  rate.value = callers;
  labels();
}

function labels() {
  byId("out-errors").textContent = `${errors.value} %`;
  byId("out-delay").textContent = `${delay.value} ms`;
  byId("out-orders").textContent = `${lost.value} %`;
  byId("out-rate").textContent = `${rate.value} req/s`;
  byId("out-dependency").textContent = `${dependency.value} %`;
}

async function turn() {
  held = Date.now() + 1000;
  labels();
  const orders = 1 - Number(lost.value) / 100;
  await post("/api/knobs", { version: "v2", error_rate: Number(errors.value) / 100, delay_ms: Number(delay.value), orders, dead: dead.checked });
}

async function turnShop() {
  held = Date.now() + 1000;
  labels();
  await post("/api/shop", { rate: Number(rate.value), dependency: Number(dependency.value) / 100 });
}

rate.addEventListener("input", turnShop);
dependency.addEventListener("input", turnShop);
errors.addEventListener("input", turn);
delay.addEventListener("input", turn);
lost.addEventListener("input", turn);
dead.addEventListener("change", turn);
byId("heal").addEventListener("click", () => {
  showKnobs({ error_rate: 0, delay_ms: 0, orders: 1, dead: false, dependency: 0 }, rate.value);
  turn();
  turnShop();
});

let lastRoute = "";
function route(lines) {
  const digest = JSON.stringify(lines);
  if (digest === lastRoute) return;
  lastRoute = digest;
  const changed = lines.filter(([sign]) => sign !== " ").length;
  byId("yaml-note").textContent = changed ? `${changed} lines differ from the original` : "as it was at the start";
  const pre = byId("yaml");
  pre.replaceChildren(...lines.map(([sign, text]) => el("span", { class: "row", "data-sign": sign }, keyed(text), "\n")));
  const first = pre.querySelector('[data-sign="+"]');
  if (first) pre.scrollTop = Math.max(0, pre.querySelectorAll('[data-sign="+"]').item(pre.querySelectorAll('[data-sign="+"]').length - 1).offsetTop - pre.clientHeight * 0.7);
}

function keyed(text) {
  const found = /^(\s*(?:- )?)([\w/.-]+)(:.*)$/.exec(text);
  return found ? [found[1], el("span", { class: "key" }, found[2]), found[3]] : [text];
}
