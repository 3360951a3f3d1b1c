// Three small charts of the last 90 seconds.
import { byId, el, percent, svg } from "./dom.js";

const SPAN = 90, WIDTH = 300, HEIGHT = 100;
const CHARTS = [
  { id: "chart-share", title: "Share of v2", top: () => 1, shown: (v) => percent(v), axis: (v) => percent(v), lines: { v2: "share" }, area: true },
  { id: "chart-errors", title: "Error rate", top: (most) => Math.max(0.1, Math.ceil(most * 10) / 10), shown: (v) => percent(v, 1), axis: (v) => percent(v), lines: { v1: "errors", v2: "errors" } },
  { id: "chart-latency", title: "Latency p95", top: (most) => Math.max(50, Math.ceil(most / 50) * 50), shown: (v) => `${Math.round(v)} ms`, axis: (v) => `${v} ms`, lines: { v1: "latency", v2: "latency" } },
];

// One value per second and version, smoothed over three seconds: a handful of requests is no rate.
function series(seconds, version, kind) {
  return seconds.map((second, n) => {
    const window = seconds.slice(Math.max(0, n - 2), n + 1);
    const mine = window.map((one) => one.versions[version]).filter(Boolean);
    const requests = mine.reduce((sum, one) => sum + one.requests, 0);
    return [second.at, VALUES[kind](window, mine, requests)];
  });
}

const VALUES = {
  share: (window, _, requests) => {
    const all = window.flatMap((one) => Object.entries(one.versions)).filter(([name]) => name !== "unknown").reduce((sum, [, one]) => sum + one.requests, 0);
    return all ? requests / all : null;
  },
  errors: (_, mine, requests) => (requests ? mine.reduce((sum, one) => sum + one.errors, 0) / requests : null),
  latency: (_, mine, requests) => (requests ? mine.reduce((sum, one) => sum + (one.p95_ms ?? 0) * one.requests, 0) / requests : null),
};

function path(points, top, now) {
  let drawn = "", isDown = false;
  for (const [at, value] of points) {
    if (value === null) { isDown = false; continue; }
    const x = (WIDTH * (SPAN - (now - at))) / SPAN, y = HEIGHT * (1 - Math.min(value / top, 1));
    drawn += `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
  }
  return drawn;
}

export function draw(mesh, at) {
  const now = Math.max(at - 1, mesh.seconds.at(-1)?.at ?? 0);
  for (const chart of CHARTS) {
    const lines = Object.entries(chart.lines).map(([version, kind]) => [version, series(mesh.seconds, version, kind)]);
    const values = lines.flatMap(([, points]) => points.map(([, value]) => value ?? 0));
    render(chart, lines, chart.top(Math.max(0, ...values)), now);
  }
}

function render(chart, lines, top, now) {
  const latest = lines.map(([version, points]) => [version, points.at(-1)?.[1] ?? null]);
  const words = latest.map(([version, value]) => `${version} ${value === null ? "–" : chart.shown(value)}`);
  const figures = latest.map(([version], n) => el("span", { class: version }, words[n]));
  const drawn = lines.flatMap(([version, points]) => {
    const line = path(points, top, now);
    const first = points.find(([, value]) => value !== null);
    const area = chart.area && first ? svg("path", { class: "area", d: `${line}L${WIDTH} ${HEIGHT}L${((WIDTH * (SPAN - (now - first[0]))) / SPAN).toFixed(1)} ${HEIGHT}Z` }) : null;
    return [area, svg("path", { class: `line ${version}`, d: line })];
  });
  const grid = [0, 0.5, 1].map((share) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share }));
  byId(chart.id).replaceChildren(
    el("header", null, el("h3", null, chart.title), el("p", { class: "now" }, figures)),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${chart.title} over the last 90 seconds, now ${words.join(", ")}` }, grid, drawn),
    el("p", { class: "axis", "aria-hidden": "true" }, el("span", null, "90 s ago"), el("span", null, `top ${chart.axis(top)}`), el("span", null, "now")),
  );
}
