// Requests as water: two streams as wide as their share, a drop for each request that was really sent; copies are rings.
import { byId } from "./dom.js";

const canvas = byId("flow");
const pen = canvas.getContext("2d");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const CALM = 250; // milliseconds between two drawings for who wants no motion
const TRAVEL = 1500, BAND = 92, COPIES = 26, MOST = 400;
const VERSIONS = ["v1", "v2"];
let wanted = { v1: 1, v2: 0 }, shown = { v1: 1, v2: 0 };
let drops = [], queue = [], lastSecond = 0;

// Each whole second's requests are let go over the next second.
export function feed(mesh) {
  if (mesh.share) wanted = mesh.share;
  for (const second of mesh.seconds.slice(-2)) {
    if (second.at <= lastSecond) continue;
    lastSecond = second.at;
    const begin = performance.now();
    for (let n = 0; n < mesh.copies; n += 1) queue.push({ at: begin + Math.random() * 1000, lane: "v2", copy: true, side: Math.random() });
    for (const [version, one] of Object.entries(second.versions)) {
      const lane = VERSIONS.includes(version) ? version : "v2";
      for (let n = 0; n < one.requests; n += 1) queue.push({ at: begin + Math.random() * 1000, lane, failed: n < one.errors, side: Math.random() });
    }
  }
  queue = queue.slice(-MOST);
}

function size() {
  const scale = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  if (canvas.width !== Math.round(box.width * scale) || canvas.height !== Math.round(box.height * scale)) {
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(box.height * scale);
  }
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return box;
}

function lanes(box) {
  const left = 84, found = {};
  let top = box.height / 2 - BAND / 2;
  for (const version of VERSIONS) {
    const card = byId(`card-${version}`).getBoundingClientRect();
    const width = BAND * shown[version];
    found[version] = { x0: left, x1: card.left - box.left, y0: top, y1: card.top - box.top + card.height / 2 - width / 2, width };
    top += width;
  }
  return found;
}

const bend = (lane, t) => {
  const s = 1 - t, middle = (lane.x0 + lane.x1) / 2;
  const x = s ** 3 * lane.x0 + 3 * s * s * t * middle + 3 * s * t * t * middle + t ** 3 * lane.x1;
  return [x, lane.y0 + (lane.y1 - lane.y0) * (t * t * (3 - 2 * t))];
};

function band(lane, colour) {
  const middle = (lane.x0 + lane.x1) / 2, width = Math.max(lane.width, 0.8);
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(lane.x0, lane.y0);
  pen.bezierCurveTo(middle, lane.y0, middle, lane.y1, lane.x1, lane.y1);
  pen.lineTo(lane.x1, lane.y1 + width);
  pen.bezierCurveTo(middle, lane.y1 + width, middle, lane.y0 + width, lane.x0, lane.y0 + width);
  pen.fill();
}

function drop(one, lane, now, colours) {
  const t = (now - one.at) / TRAVEL;
  const [x, y] = bend(lane, Math.min(t, 1));
  const inside = one.copy ? y + lane.width / 2 + (one.side - 0.5) * COPIES : y + 3 + one.side * Math.max(lane.width - 6, 0);
  const hurts = one.failed && t > 0.82;
  pen.globalAlpha = t > 0.94 ? Math.max(0, (1 - t) / 0.06) : 1;
  pen.fillStyle = hurts ? colours.bad : colours[one.lane];
  pen.beginPath();
  pen.arc(x, inside, hurts ? 4.5 : 2.4, 0, 2 * Math.PI);
  if (one.copy) {
    pen.strokeStyle = colours.v2;
    pen.stroke();
  } else pen.fill();
  pen.globalAlpha = 1;
}

function gate(box, lane, colours) {
  // The sluice itself: a post that stands where the streams part.
  pen.fillStyle = colours.line;
  pen.fillRect(lane.x0 - 4, box.height / 2 - BAND / 2 - 10, 4, BAND + 20);
}

let tints = {};
function readTints() {
  const style = getComputedStyle(document.documentElement), read = (name) => style.getPropertyValue(`--${name}`).trim();
  tints = { v1: read("v1"), v2: read("v2"), v1Soft: read("v1-soft"), v2Soft: read("v2-soft"), bad: read("bad"), line: read("line-strong") };
}

function frame(now) {
  if (still.matches) setTimeout(() => requestAnimationFrame(frame), CALM);
  else requestAnimationFrame(frame);
  const box = size();
  if (!box.width) return;
  const ease = still.matches ? 1 : 0.08;
  for (const version of VERSIONS) shown[version] += (wanted[version] - shown[version]) * ease;
  const ways = lanes(box);
  pen.clearRect(0, 0, box.width, box.height);
  for (const version of VERSIONS) band(ways[version], tints[`${version}Soft`]);
  gate(box, ways.v1, tints);
  if (still.matches) return;
  drops = drops.filter((one) => now - one.at < TRAVEL).concat(queue.filter((one) => one.at <= now));
  queue = queue.filter((one) => one.at > now);
  for (const one of drops) drop(one, ways[one.lane], now, tints);
}

readTints();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readTints);
requestAnimationFrame(frame);
