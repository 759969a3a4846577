// Draws a series' score over time, and below it an overview that says which part is seen, or chooses it.
"use strict";

const LANE = 9; // pixels of each of the two lanes above the plot: labelled, flagged
const BENT_FROM = 15; // a higher score is compressed to begin with
const LEAST_APART = 22; // pixels between ticks of the compressed scale
const TICKS = [1, 0, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 3, 30, 300, 0.5].flatMap((tick) => [tick, -tick]);
let shown; // the series on show: its line, first and last time, and both plots

const unpack = (text, Kind) => new Kind(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
const orNull = (column) => Array.from(column, (value) => (Number.isNaN(value) ? null : value));

function show(index) {
  const line = data.timelines[index];
  line.columns ??= [
    Array.from(unpack(line.times, Float64Array)),
    orNull(unpack(line.score, Float32Array)),
    orNull(unpack(line.threshold, Float32Array)),
  ];
  line.bent ??= line.columns[1].some((score) => score > BENT_FROM);
  shown = { line, first: line.columns[0][0], last: line.columns[0].at(-1) };
  byId("bent").checked = line.bent;
  for (const id of ["timeline", "overview"]) byId(id).replaceChildren();
  for (const chart of [...charts]) if (!chart.root.isConnected) charts.delete(chart);
  shown.main = draw(byId("timeline"), mainOptions(line), line.columns);
  shown.overview = draw(byId("overview"), overviewOptions(line), line.columns.slice(0, 2));
}

function mainOptions(line) {
  const lanes = line.labelled.length ? 2 : 1;
  const bent = line.bent ? { splits: roomy, filter: (u, ticks) => ticks } : {};
  return {
    height: 320,
    padding: [lanes * LANE + 8, RIGHT, 0, 0],
    cursor: { y: false, drag: { x: true, y: false, setScale: true }, points: { size: 7 } },
    scales: { x: overTime(), y: scoreScale(line) },
    axes: [timeAxis(), axis({ size: 56, ...bent, values: (u, ticks) => ticks.map(number) })],
    series: [
      {},
      { stroke: colour("first"), width: 1.25, points: { size: 4, fill: colour("first") } },
      { stroke: colour("limit"), width: 1.25, dash: [4, 4], points: { show: false } },
    ],
    hooks: {
      drawClear: [(u) => fill(u, line.labelled, colour("truth-band")(), u.bbox.top, u.bbox.height, 1)],
      draw: [(u) => fillLanes(u, line)],
      setScale: [(u, key) => key === "x" && follow(u)],
      setCursor: [(u) => u.cursor.idx != null && u.cursor.left >= 0 && say(u.cursor.idx)],
    },
  };
}

function overviewOptions(line) {
  return {
    height: 56,
    padding: [4, RIGHT, 4, 0],
    cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: overTime(), y: scoreScale(line) },
    axes: [{ show: false }, axis({ size: 56, values: () => [], grid: { show: false } })],
    series: [{}, { stroke: colour("first"), width: 1, points: { show: false } }],
    hooks: {
      setSelect: [chosen],
      ready: [() => queueMicrotask(() => follow(shown.main))],
    },
  };
}

// With the threshold and some room; compressed, it is linear around 0 and logarithmic beyond.
function scoreScale(line) {
  const room = line.bent ? 1.25 : 1.05;
  const range = (u, low, high) => [Math.min(low ?? 0, 0) * 1.08 - 0.1, Math.max(high ?? 1, 1.1) * room];
  return line.bent ? { distr: 4, asinh: 1, range } : { range };
}

// Those ticks that have room: where the threshold starts, then 0 and powers of ten, then the rest.
function roomy(u, which, low, high) {
  const place = (tick) => u.valToPos(tick, "y"), kept = [];
  for (const tick of TICKS)
    if (tick >= low && tick <= high && kept.every((other) => Math.abs(place(other) - place(tick)) > LEAST_APART))
      kept.push(tick);
  return kept.sort((one, other) => one - other);
}

function fillLanes(u, line) {
  const lane = LANE * devicePixelRatio, gap = 2 * devicePixelRatio, top = u.bbox.top - lane - gap;
  fill(u, line.flagged, colour("odd")(), top, lane - gap, gap);
  fill(u, line.labelled, colour("truth")(), top - lane, lane - gap, gap);
}

// The overview marks what is seen above it.
function follow(main) {
  const { overview, first, last } = shown;
  if (!overview || main !== shown.main) return;
  const { min, max } = main.scales.x, whole = min <= first && max >= last;
  const left = overview.valToPos(Math.max(min, first), "x"), right = overview.valToPos(Math.min(max, last), "x");
  byId("overview").classList.toggle("whole", whole);
  const width = whole ? 0 : Math.max(right - left, 2);
  overview.setSelect({ left, top: 0, width, height: overview.over.clientHeight }, false);
}

function chosen(overview) {
  const { left, width } = overview.select;
  if (width > 0) look(overview.posToVal(left, "x"), overview.posToVal(left + width, "x"));
}

// Tell in words what is at a point.
function say(at) {
  const { line } = shown, [times, scores, thresholds] = line.columns;
  if (scores[at] == null) return;
  const within = (spans) => spans.some(([start, end]) => times[at] >= start && times[at] <= end);
  const words = [moment(times[at]), `score ${number(scores[at])}`, `threshold ${number(thresholds[at])}`];
  if (within(line.flagged)) words.push("flagged");
  if (within(line.labelled)) words.push("labelled anomaly");
  byId("readout").textContent = words.join(" · ");
}
