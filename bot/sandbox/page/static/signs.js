// Slack draws its own emoji; so does the page, for machines that have no font for them.
import { svg } from "./dom.js";

const GREEN = "#2f9e62", RED = "#d64541", YELLOW = "#e0a92e", ORANGE = "#e07b2e", BLUE = "#3c84c6", GREY = "#8d98a3";
const circle = (colour) => [["circle", { cx: 12, cy: 12, r: 9.5, fill: colour }]];
const square = (colour, path) => [
  ["rect", { x: 2, y: 2, width: 20, height: 20, rx: 5, fill: colour }],
  ["path", { d: path, fill: "none", stroke: "#fff", "stroke-width": 2.6, "stroke-linecap": "round", "stroke-linejoin": "round" }],
];
const stroke = (path) => [["path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round", "stroke-linecap": "round" }]];

const SIGNS = {
  "🟢": ["green", circle(GREEN)], "🟡": ["yellow", circle(YELLOW)], "🔴": ["red", circle(RED)], "🟠": ["orange", circle(ORANGE)],
  "🔵": ["blue", circle(BLUE)], "⚪": ["white", circle(GREY)],
  "✅": ["done", square(GREEN, "M7 12.5l3.5 3.5L17 8.5")], "❌": ["failed", square(RED, "M8 8l8 8M16 8l-8 8")],
  "⏪": ["back", square(BLUE, "M12 7l-5 5 5 5M18 7l-5 5 5 5")], "⏳": ["applying", stroke("M6 3h12M6 21h12M7 3c0 5 4 6 5 9-1 3-5 4-5 9M17 3c0 5-4 6-5 9 1 3 5 4 5 9")],
  "⚠": ["warning", [["path", { d: "M12 2.5L23 21.5H1z", fill: YELLOW }], ["path", { d: "M12 9v6M12 18v.5", stroke: "#3a2a00", "stroke-width": 2.2, "stroke-linecap": "round" }]]],
  "🚨": ["alarm", circle(RED)], "✔": ["yes", stroke("M5 13l4.5 4.5L19 7")],
};
const PATTERN = new RegExp(`(${Object.keys(SIGNS).join("|")})\\uFE0F?`, "gu");

function sign(character) {
  const [name, shapes] = SIGNS[character];
  const drawn = shapes.map(([tag, attributes]) => svg(tag, attributes));
  return svg("svg", { viewBox: "0 0 24 24", class: "sign", role: "img", "aria-label": name }, svg("title", null, character), drawn);
}

// Text as nodes, the signs drawn.
export function signed(text) {
  return text.split(PATTERN).map((part) => (SIGNS[part] ? sign(part) : part)).filter((part) => part !== "");
}
