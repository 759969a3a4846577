// Draws the features to blame for an event when it is opened, and finds it in the score's plot.
"use strict";

function drawEvent(details) {
  const index = details.dataset.event, event = data.events[index];
  if (!details.open || event.drawn) return;
  event.drawn = true;
  details.querySelectorAll(".chart").forEach((holder, place) => {
    const { actual, expected } = event.features[place];
    draw(holder, eventOptions(event, index), [event.times, actual, expected]);
  });
}

// Plots of one event share their cursor.
function eventOptions(event, index) {
  const flagged = [[event.start, event.end]];
  return {
    height: 130,
    padding: [8, RIGHT, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: index } },
    scales: { x: overTime() },
    axes: [timeAxis(), axis({ size: 56, space: 20 })],
    series: [
      {},
      { stroke: colour("first"), width: 1.75, points: { show: false } },
      { stroke: colour("hope"), width: 1.75, dash: [5, 3], points: { show: false } },
    ],
    hooks: { drawClear: [(u) => fill(u, flagged, colour("band")(), u.bbox.top, u.bbox.height, 3)] },
  };
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

for (const details of document.querySelectorAll("details.event")) {
  details.addEventListener("toggle", () => drawEvent(details));
  drawEvent(details);
}
for (const button of document.querySelectorAll("[data-show]"))
  button.addEventListener("click", () => showEvent(data.events[button.dataset.show]));
