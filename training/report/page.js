// Draws what moves: the score over time and the worst events, from the JSON in the page, with uPlot.
"use strict";

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const axis = (more) => ({
  stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui", ...more,
});
const PAPER = 680; // pixels between the margins of a page
const charts = new Set(); // all that are drawn, to be drawn again in other colours or widths

// Rows without a time are numbered: the file's clock ticks once a row.
const moment = (ms) => (data.rows ? `row ${Math.round(ms / 1000)}` : new Date(ms).toISOString().replace("T", " ").replace(/(\.000)?Z$/, ""));
const along = { time: !data.rows };
const timeAxis = (more) => axis({ values: data.rows ? (u, ticks) => ticks.map((at) => at / 1000) : STAMPS, ...more });
// What a tick says, by the least step between ticks: its own words, and words below them where a new year, (month,) day,
// (hour,) minute or second begins; 1 adds those to the first.
const HOUR = 36e5, DAY = 24 * HOUR, DATE = "{D} {MMM}", CLOCK = "{HH}:{mm}";
const STAMPS = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [DAY, DATE, "\n{YYYY}", null, null, null, null, null, 1],
  [6e4, CLOCK, `\n${DATE} {YYYY}`, null, `\n${DATE}`, null, null, null, 1],
  [1e3, `${CLOCK}:{ss}`, `\n${DATE} {YYYY}`, null, `\n${DATE}`, null, null, null, 1],
  [1, "{ss}.{fff}", `\n${DATE} {YYYY} ${CLOCK}`, null, `\n${DATE} ${CLOCK}`, null, `\n${CLOCK}`, null, 1],
];
const number = (value) => (value == null ? "–" : Number(value.toPrecision(4)).toLocaleString("en"));

function draw(holder, options, values) {
  const chart = new uPlot(
    { width: holder.clientWidth, ms: 1, tzDate: (ms) => uPlot.tzDate(new Date(ms), "UTC"), legend: { show: false }, ...options },
    values, holder,
  );
  new ResizeObserver(() => resize(chart, holder)).observe(holder);
  charts.add(chart);
  return chart;
}

function resize(chart, holder) {
  if (charts.has(chart) && holder.clientWidth && holder.clientWidth !== chart.width) chart.setSize({ width: holder.clientWidth, height: chart.height });
}

// Fill spans of time, in pixels of the canvas, over the height from `top`.
function fill(u, spans, style, top, height, least) {
  u.ctx.fillStyle = style;
  const { left, width } = u.bbox;
  for (const [start, end] of spans) {
    const from = u.valToPos(start, "x", true), to = u.valToPos(end, "x", true);
    if (to < left || from > left + width) continue;
    const begin = Math.max(from - least / 2, left), finish = Math.min(Math.max(to + least / 2, begin + least), left + width);
    u.ctx.fillRect(begin, top, finish - begin, height);
  }
}

// --- the score over time ---------------------------------------------------------------------------------------------

const unpack = (text, Kind) => new Kind(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
const values = (text) => Array.from(unpack(text, Float32Array), (value) => (Number.isNaN(value) ? null : value));
const DECADES = [0.5, 1, 2, 5, 10, 20, 50, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
const LANE = 9; // pixels of each of the two lanes above the plot: flagged, labelled
const BENT_FROM = 15; // a higher score is compressed to begin with
let shown; // the series on show, its columns and its charts

function show(index) {
  const line = data.timelines[index];
  if (!line.columns) line.columns = [Array.from(unpack(line.times, Float64Array)), values(line.score), values(line.threshold)];
  const times = line.columns[0];
  if (line.bent === undefined) line.bent = line.columns[1].some((score) => score > BENT_FROM);
  shown = { line, first: times[0], last: times[times.length - 1] };
  byId("bent").checked = line.bent;
  for (const id of ["timeline", "overview"]) byId(id).replaceChildren();
  for (const chart of [...charts]) if (!chart.root.isConnected) charts.delete(chart);
  shown.main = draw(byId("timeline"), mainOptions(line), line.columns);
  shown.overview = draw(byId("overview"), overviewOptions(line), line.columns.slice(0, 2));
}

function mainOptions(line) {
  const labelled = line.labelled.length > 0;
  return {
    height: 320,
    padding: [labelled ? 2 * LANE + 8 : LANE + 8, 24, 0, 0],
    cursor: { y: false, drag: { x: true, y: false, setScale: true }, points: { size: 7 } },
    scales: { x: along, y: scoreScale(line) },
    axes: [timeAxis({ space: 76 }), axis({ size: 56, ...(line.bent ? { splits: decades, filter: (u, ticks) => ticks } : {}), values: (u, ticks) => ticks.map((tick) => (tick == null ? "" : tick.toLocaleString("en"))) })],
    series: [
      {},
      { label: "score", stroke: colour("first"), width: 1.25, points: { size: 4, fill: colour("first") } },
      { label: "threshold", stroke: colour("limit"), width: 1.25, dash: [4, 4], points: { show: false } },
    ],
    hooks: {
      drawClear: [(u) => fill(u, line.labelled, colour("truth-band")(), u.bbox.top, u.bbox.height, 1)],
      draw: [(u) => lanes(u, line)],
      setScale: [(u, key) => key === "x" && follow(u)],
      setCursor: [readOut],
    },
  };
}

function scoreScale(line) {
  const range = (u, low, high) => [Math.min(low ?? 0, 0) * 1.08 - 0.1, Math.max(high ?? 1, 1.1) * (line.bent ? 1.25 : 1.05)];
  return line.bent ? { distr: 4, asinh: 1, range } : { range };
}

// Ticks of the compressed scale, not too close to each other.
function decades(u, which, low, high) {
  const ticks = [...DECADES.map((value) => -value).reverse(), 0, ...DECADES].filter((value) => value >= low && value <= high);
  const kept = [];
  for (const tick of ticks) if (!kept.length || u.valToPos(kept[kept.length - 1], "y") - u.valToPos(tick, "y") > 22) kept.push(tick);
  return kept;
}

function lanes(u, line) {
  const lane = LANE * devicePixelRatio, gap = 2 * devicePixelRatio;
  const top = u.bbox.top - lane - gap;
  fill(u, line.flagged, colour("odd")(), top, lane - gap, 2 * devicePixelRatio);
  if (line.labelled.length) fill(u, line.labelled, colour("truth")(), top - lane, lane - gap, 2 * devicePixelRatio);
}

function overviewOptions(line) {
  return {
    height: 56,
    padding: [4, 24, 4, 0],
    cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: along, y: scoreScale(line) },
    axes: [{ show: false }, axis({ size: 56, values: () => [], grid: { show: false } })],
    series: [{}, { stroke: colour("first"), width: 1, points: { show: false } }],
    hooks: {
      setSelect: [(u) => u.select.width > 0 && !u.following && look(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"))],
      ready: [(u) => queueMicrotask(() => shown && shown.main && follow(shown.main))],
    },
  };
}

// The part of the overview that is seen above.
function follow(main) {
  const overview = shown && shown.overview;
  if (!overview || main !== shown.main) return;
  const { min, max } = main.scales.x;
  const left = overview.valToPos(Math.max(min, shown.first), "x"), right = overview.valToPos(Math.min(max, shown.last), "x");
  const whole = min <= shown.first && max >= shown.last;
  byId("overview").classList.toggle("whole", whole);
  overview.following = true;
  overview.setSelect({ left, top: 0, width: whole ? 0 : Math.max(right - left, 2), height: overview.over.clientHeight }, false);
  overview.following = false;
}

function look(min, max) {
  const least = Math.min((shown.last - shown.first) / 2, 20 * step()) || 1;
  const width = Math.min(Math.max(max - min, least), shown.last - shown.first || 1);
  const from = Math.min(Math.max((min + max - width) / 2, shown.first), shown.last - width);
  shown.main.setScale("x", { min: from, max: from + width });
}

const step = () => (shown.last - shown.first) / Math.max(shown.line.columns[0].length - 1, 1);

function readOut(u) {
  const at = u.cursor.idx;
  if (at == null || u.cursor.left < 0) return;
  say(at);
}

function say(at) {
  const [times, scores, thresholds] = shown.line.columns;
  if (scores[at] == null) return;
  const within = (spans) => spans.some(([start, end]) => times[at] >= start && times[at] <= end);
  const words = [moment(times[at]), `score ${number(scores[at])}`, `threshold ${number(thresholds[at])}`];
  if (within(shown.line.flagged)) words.push("flagged");
  if (within(shown.line.labelled)) words.push("labelled anomaly");
  byId("readout").textContent = words.join(" · ");
}

// To the next flag, or the one before; from the whole to the first or to the last.
function go(direction) {
  const { min, max } = shown.main.scales.x;
  const whole = max - min >= 0.99 * (shown.last - shown.first);
  const centre = (span) => (span[0] + span[1]) / 2, flagged = shown.line.flagged;
  const from = whole ? -direction * Infinity : (min + max) / 2 + (direction * step()) / 2;
  const found = direction > 0 ? flagged.find((span) => centre(span) > from) : flagged.findLast((span) => centre(span) < from);
  if (!found) return;
  const width = Math.max(whole ? 200 * step() : max - min, 1.5 * (found[1] - found[0]));
  shown.main.setScale("x", { min: centre(found) - width / 2, max: centre(found) + width / 2 });
  say(shown.line.columns[0].indexOf(found[0]));
}

const acts = {
  all: () => look(shown.first, shown.last),
  in: () => scaled(0.5, 0),
  out: () => scaled(2, 0),
  left: () => scaled(1, -0.25),
  right: () => scaled(1, 0.25),
  before: () => go(-1),
  after: () => go(1),
};

function scaled(factor, shift) {
  const { min, max } = shown.main.scales.x;
  const middle = (min + max) / 2 + shift * (max - min), half = (factor * (max - min)) / 2;
  look(middle - half, middle + half);
}

const KEYS = { ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", 0: "all", Home: "all", Escape: "all", n: "after", p: "before" };

function listen() {
  byId("timeline").addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    acts[KEYS[event.key]]();
  });
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
  byId("series")?.addEventListener("change", (event) => show(Number(event.target.value)));
  byId("bent").addEventListener("change", (event) => {
    const { min, max } = shown.main.scales.x, { line } = shown;
    line.bent = event.target.checked;
    show(data.timelines.indexOf(line));
    look(min, max);
  });
}

// --- the worst events ------------------------------------------------------------------------------------------------

function drawEvent(details) {
  const event = data.events[details.dataset.event];
  if (!details.open || event.drawn) return;
  event.drawn = true;
  details.querySelectorAll(".chart").forEach((holder, index) => drawFeature(holder, event, event.features[index], details.dataset.event));
}

function drawFeature(holder, event, feature, sync) {
  draw(holder, {
    height: 130,
    padding: [8, 24, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: sync } },
    scales: { x: along },
    axes: [timeAxis({ space: 76 }), axis({ size: 56, space: 20 })],
    series: [
      {},
      { stroke: colour("first"), width: 1.75, points: { show: false } },
      { stroke: colour("hope"), width: 1.75, dash: [5, 3], points: { show: false } },
    ],
    hooks: { drawClear: [(u) => fill(u, [[event.start, event.end]], colour("band")(), u.bbox.top, u.bbox.height, 3)] },
  }, [event.times, feature.actual, feature.expected]);
}

function showEvent(event) {
  const index = data.timelines.findIndex((line) => line.series === event.series);
  if (index < 0) return;
  if (byId("series")) byId("series").value = index;
  show(index);
  const room = Math.max(2 * (event.end - event.start), 100 * step());
  look(event.start - room, event.end + room);
  byId("score").scrollIntoView();
  byId("timeline").focus({ preventScroll: true });
}

// --- all of them -----------------------------------------------------------------------------------------------------

function paint() {
  for (const chart of charts) chart.redraw(false);
}

// Paper is light, and narrower than most screens.
function toPaper(printing) {
  document.documentElement.classList.toggle("light", printing);
  for (const chart of charts) {
    const width = chart.root.parentElement.clientWidth;
    chart.setSize({ width: printing ? Math.min(width, PAPER) : width, height: chart.height });
  }
}

if (data.timelines.length) {
  show(0);
  listen();
}
for (const details of document.querySelectorAll("details.event")) {
  details.addEventListener("toggle", () => drawEvent(details));
  drawEvent(details);
}
for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => showEvent(data.events[button.dataset.show]));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
addEventListener("beforeprint", () => toPaper(true));
addEventListener("afterprint", () => toPaper(false));
