// What all plots share: the data in the page, colours, axes of time, and drawing again on paper or in another scheme.
"use strict";

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const charts = new Set(); // all that are drawn
const PAPER = 680; // pixels between the margins of a page
const RIGHT = 24; // pixels beside a plot, for half of its last tick's words

// A colour of the style sheet, as it is when the plot is drawn.
const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const number = (value) => (value == null ? "–" : Number(value.toPrecision(4)).toLocaleString("en"));

// Rows without a time are numbered: the file's clock ticks once a row.
const moment = (ms) => (data.rows ? `row ${Math.round(ms / 1000)}` : utc(ms));
const utc = (ms) => new Date(ms).toISOString().replace("T", " ").replace(/(\.000)?Z$/, "");

// What a tick says, by the least step between ticks: its own words, then words below them where a new year, (month,)
// day, (hour,) minute or second begins. The 1 adds those to the first.
const DAY = 864e5, DATE = "{D} {MMM}", CLOCK = "{HH}:{mm}";
const STAMPS = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [DAY, DATE, "\n{YYYY}", null, null, null, null, null, 1],
  [6e4, CLOCK, `\n${DATE} {YYYY}`, null, `\n${DATE}`, null, null, null, 1],
  [1e3, `${CLOCK}:{ss}`, `\n${DATE} {YYYY}`, null, `\n${DATE}`, null, null, null, 1],
  [1, "{ss}.{fff}", `\n${DATE} {YYYY} ${CLOCK}`, null, `\n${DATE} ${CLOCK}`, null, `\n${CLOCK}`, null, 1],
];

const overTime = () => ({ time: !data.rows });
const timeAxis = () => axis({ space: 76, values: data.rows ? (u, ticks) => ticks.map((at) => at / 1000) : STAMPS });
const axis = (more) => ({
  stroke: colour("soft"),
  grid: { stroke: colour("grid"), width: 1 },
  ticks: { show: false },
  font: "12px system-ui",
  ...more,
});

// Draw a plot that is as wide as its holder, now and later.
function draw(holder, options, columns) {
  const everywhere = { ms: 1, tzDate: (ms) => uPlot.tzDate(new Date(ms), "UTC"), legend: { show: false } };
  const chart = new uPlot({ width: holder.clientWidth, ...everywhere, ...options }, columns, holder);
  new ResizeObserver(() => fit(chart, holder)).observe(holder);
  charts.add(chart);
  return chart;
}

function fit(chart, holder) {
  const width = holder.clientWidth;
  if (charts.has(chart) && width && width !== chart.width) chart.setSize({ width, height: chart.height });
}

// Fill spans of time, at least `least` wide; all in pixels of the canvas.
function fill(u, spans, style, top, height, least) {
  const { left, width } = u.bbox, right = left + width;
  u.ctx.fillStyle = style;
  for (const [start, end] of spans) {
    const from = u.valToPos(start, "x", true), to = u.valToPos(end, "x", true);
    if (to < left || from > right) continue;
    const begin = Math.max(from - least / 2, left);
    const finish = Math.min(Math.max(to + least / 2, begin + least), right);
    u.ctx.fillRect(begin, top, finish - begin, height);
  }
}

// Paper is light, and narrower than most screens.
function toPaper(printing) {
  document.documentElement.classList.toggle("light", printing);
  for (const chart of charts) {
    const width = chart.root.parentElement.clientWidth;
    chart.setSize({ width: printing ? Math.min(width, PAPER) : width, height: chart.height });
  }
}

const paint = () => charts.forEach((chart) => chart.redraw(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
addEventListener("beforeprint", () => toPaper(true));
addEventListener("afterprint", () => toPaper(false));
