// Moves over the score by keys and buttons.
"use strict";

const LEAST = 20, AROUND = 200; // points to see at least, and around a flag
const KEYS = {
  ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", n: "after", p: "before",
  0: "all", Home: "all", Escape: "all",
};
const ACTS = {
  all: () => look(shown.first, shown.last),
  in: () => move(0.5, 0),
  out: () => move(2, 0),
  left: () => move(1, -0.25),
  right: () => move(1, 0.25),
  before: () => seek(-1),
  after: () => seek(1),
};

const step = () => (shown.last - shown.first) / Math.max(shown.line.columns[0].length - 1, 1);

// Show the time from `min` to `max`, or what there is of it; not less than some points.
function look(min, max) {
  const whole = shown.last - shown.first || 1;
  const width = Math.min(Math.max(max - min, Math.min(whole / 2, LEAST * step())), whole);
  const from = Math.min(Math.max((min + max - width) / 2, shown.first), shown.last - width);
  shown.main.setScale("x", { min: from, max: from + width });
}

// Show `factor` times as much, `shift` of it later.
function move(factor, shift) {
  const { min, max } = shown.main.scales.x;
  const middle = (min + max) / 2 + shift * (max - min), half = (factor * (max - min)) / 2;
  look(middle - half, middle + half);
}

// To the next flag, or the one before; from the whole to the first or to the last.
function seek(direction) {
  const { min, max } = shown.main.scales.x, { flagged, columns } = shown.line;
  const whole = max - min >= 0.99 * (shown.last - shown.first);
  const from = whole ? -direction * Infinity : (min + max) / 2 + (direction * step()) / 2;
  const centre = ([start, end]) => (start + end) / 2;
  const beyond = (span) => direction * (centre(span) - from) > 0;
  const found = direction > 0 ? flagged.find(beyond) : flagged.findLast(beyond);
  if (!found) return;
  const half = Math.max(whole ? AROUND * step() : max - min, 1.5 * (found[1] - found[0])) / 2;
  shown.main.setScale("x", { min: centre(found) - half, max: centre(found) + half });
  say(columns[0].indexOf(found[0]));
}

function onKey(event) {
  if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  ACTS[KEYS[event.key]]();
}

function bend(bent) {
  const { line, main } = shown, { min, max } = main.scales.x;
  line.bent = bent;
  show(data.timelines.indexOf(line));
  look(min, max);
}

function begin() {
  show(0);
  byId("timeline").addEventListener("keydown", onKey);
  byId("bent").addEventListener("change", (event) => bend(event.target.checked));
  byId("series")?.addEventListener("change", (event) => show(Number(event.target.value)));
  for (const button of document.querySelectorAll("[data-do]"))
    button.addEventListener("click", ACTS[button.dataset.do]);
}

if (data.timelines.length) begin();
