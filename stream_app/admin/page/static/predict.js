// Sends rows to be scored, and shows what came: the plot of the report, and what was odd with the features to blame.
const MOST = 20; // events in the list
const form = byId("ask");
let begun = false, chosen;

// Its list of releases may come anew; what was chosen of it stays chosen.
const { release } = form.elements;
release.addEventListener("htmx:beforeSwap", () => (chosen = release.value));
release.addEventListener("htmx:afterSwap", () => (release.value = chosen));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.classList.contains("busy")) return;
  form.classList.add("busy");
  try {
    tell("");
    present(await score());
  } catch (error) {
    tell(error.message);
  } finally {
    form.classList.remove("busy");
  }
});

const tell = (words) => say(form.querySelector(".problem"), words);

function say(place, words) {
  place.textContent = words;
  place.hidden = !words;
}

async function score() {
  const { file, rows, threshold, release } = form.elements;
  const body = file.files[0] ?? rows.value.trim();
  if (!body) throw new Error("There are no rows yet: drop a file, or paste some with their header.");
  const query = new URLSearchParams({ dataset: form.getAttribute("data-dataset"), attribution: true });
  if (threshold.value) query.set("threshold", threshold.value);
  if (release.value) query.set("release", release.value);
  const own = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  const headers = { ...own, "content-type": typeof body === "string" ? "text/csv" : "application/octet-stream" };
  const answer = await fetch(`/predict?${query}`, { method: "POST", headers, body }).catch(() => {
    throw new Error("The service does not answer; is it running?");
  });
  const content = await answer.json().catch(() => ({ detail: `The service answered ${answer.status}.` }));
  if (answer.status === 401) location.assign("/page/sign-in");
  if (!answer.ok) throw new Error(content.detail);
  return content;
}

function present(content) {
  data.rows = content.timestamps === null;
  const events = [];
  data.timelines = lines(content, events);
  byId("answer").hidden = false;
  const choice = byId("series");
  choice.replaceChildren(...data.timelines.map((line, at) => new Option(line.series ?? "", at)));
  byId("which").hidden = data.timelines.length < 2;
  if (begun) show(0);
  else begin();
  begun = true;
  headline(content);
  list(events.sort((one, other) => other.peak - one.peak));
  say(byId("left-out"), content.rejected_count ? leftOut(content) : "");
  byId("answer").scrollIntoView({ block: "nearest" });
}

function leftOut({ rejected, rejected_count: count }) {
  const told = rejected.slice(0, 3).map(({ line, reason }) => `line ${line}: ${reason}`).join("; ");
  return `${count} ${count > 1 ? "rows were" : "row was"} left out: ${told}${count > 3 ? "; …" : ""}`;
}

// A line of the report's plot for each series, the one that rose highest first, and the runs of flags of all of them.
function lines(content, events) {
  const bySeries = new Map();
  let flag = 0;
  content.scores.forEach((value, at) => {
    const name = content.series?.[at] ?? null;
    if (!bySeries.has(name)) bySeries.set(name, { series: name, columns: [[], [], []], flagged: [], labelled: [], last: null });
    const line = bySeries.get(name);
    const time = content.timestamps ? Date.parse(content.timestamps[at]) : content.rows[at] * 1000;
    line.columns[0].push(time);
    line.columns[1].push(value);
    line.columns[2].push(content.thresholds[at]);
    if (!content.anomalies[at]) return void (line.last = null);
    if (!line.last) {
      line.last = { line, start: time, end: time, peak: -Infinity, flag: null };
      line.flagged.push([time, time]);
      events.push(line.last);
    }
    line.last.end = line.flagged.at(-1)[1] = time;
    const told = content.flags[flag++];
    if (value > line.last.peak) Object.assign(line.last, { peak: value, flag: told });
  });
  const peak = (line) => line.columns[1].reduce((most, value) => Math.max(most, value), -Infinity);
  return [...bySeries.values()].sort((one, other) => peak(other) - peak(one));
}

function headline({ scores, anomalies, release }) {
  const flagged = anomalies.reduce((sum, one) => sum + one, 0);
  const highest = scores.reduce((most, value) => Math.max(most, value), -Infinity);
  byId("answer-figures").replaceChildren(
    figure("Windows", scores.length.toLocaleString("en"), `scored by ${release}`),
    figure("Flagged", flagged.toLocaleString("en"), `${number((100 * flagged) / scores.length)} % of them`),
    figure("Highest score", number(highest), "1 is where the threshold starts; it adapts to the series"),
  );
}

function figure(name, value, note) {
  const made = element("div", "figure");
  made.append(element("h2", "", name), element("p", "value", value), element("p", "soft", note));
  return made;
}

function list(events) {
  const place = byId("happenings");
  if (!events.length) return place.replaceChildren(element("p", "fine", "Nothing: every window is as in training."));
  place.replaceChildren(...events.slice(0, MOST).map(happening));
  if (events.length > MOST) place.append(element("p", "soft", `And ${events.length - MOST} more.`));
}

function happening({ line, start, end, peak, flag }) {
  const made = element("div", "happening"), until = end > start ? ` – ${moment(end).replace(moment(start).slice(0, 11), "")}` : "";
  const go = element("button", "", `${moment(start)}${until}`);
  if (line.series) go.prepend(element("bdi", "", line.series), ", ");
  go.type = "button";
  go.addEventListener("click", () => seen(line, start, end));
  const blamed = element("span", "blamed");
  blamed.append(...(flag?.attribution ?? []).slice(0, 3).flatMap(blame).slice(1));
  made.append(go, element("b", "", number(peak)), blamed);
  return made;
}

const blame = ({ feature, share, actual, expected }) => [
  " · ",
  element("bdi", "", feature),
  ` ${Math.round(100 * share)} % (${number(actual)} instead of ${number(expected)})`,
];

function seen(line, start, end) {
  const at = data.timelines.indexOf(line);
  byId("series").value = at;
  if (shown.line !== line) show(at);
  const room = Math.max(end - start, 60 * step());
  look(start - room, end + room);
  byId("timeline").scrollIntoView({ block: "center" });
}

function element(kind, style, words) {
  const made = document.createElement(kind);
  if (style) made.className = style;
  if (words !== undefined) made.textContent = words;
  return made;
}
