"""The last accuracy figures in README.md, and their picture: `python -m benchmarks.accuracy.page`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.goals import reached
from benchmarks.accuracy.judging import OURS
from benchmarks.accuracy.picture import svg
from benchmarks.accuracy.tables import COLUMNS, shown
from benchmarks.markdown import table, written

FOLDER = Path(__file__).parents[1]
PAGE = FOLDER / "README.md"
RESULTS = FOLDER / "results" / "accuracy.json"
PICTURE = FOLDER / "results" / "accuracy.svg"
ABLATIONS = FOLDER / "results" / "ablations.json"
THRESHOLDS = FOLDER / "results" / "thresholds.json"
KEYS = ("rate_over_promise", "median_rate_over_promise", "f1", "far", "mar", "event_recall")  # of COLUMNS


def figures(content: Mapping[str, Any]) -> Iterator[str]:
    """All tables of a run."""
    yield _origin(content)
    yield f"![mean VUS-PR by set and detector](results/{PICTURE.name})\n"
    goals = reached(content["sets"])
    cells = [[goal.set, goal.what, f"{value:.3f}", goal.rule, "yes" if met else "no"] for goal, value, met in goals]
    yield from table(["set", "figure", "measured", "goal", "reached"], cells)
    for name, found in content["sets"].items():
        yield from _means(f"{name}, means over {found['series']} series", found["means"])
        if "nab" in found:
            yield from _profiles(found["nab"])
    yield from _steps(content["sets"])


def ablations(content: Mapping[str, Any]) -> Iterator[str]:
    """What the detector does with each part off, set by set: a table a figure."""
    yield _origin(content)
    found = content["sets"]
    head = [f"{name} ({own['series']} series)" for name, own in found.items()]
    rows = {name: {OURS: own["means"][OURS]} | own["ablations"] for name, own in found.items()}
    for key in ("vus_pr", "f1", "event_recall", "rate_over_promise"):
        cells = [[part, *(shown(rows[name][part][key], 3) for name in found)] for part in next(iter(rows.values()))]
        yield from table([COLUMNS[key], *head], cells)


def thresholds(content: Mapping[str, Any]) -> Iterator[str]:
    """What each rule made of the same scores, set by set."""
    yield _origin(content)
    for name, rules in content["sets"].items():
        sizes = list(next(iter(rules.values()))["steps_still_flagged"])
        head = [name, *(COLUMNS[key] for key in KEYS), *(f"steps of {size}" for size in sizes)]
        yield from table(head, [[rule, *_worth(own, sizes)] for rule, own in rules.items()])


def _worth(own: Mapping[str, Any], sizes: Sequence[str]) -> Iterator[str]:
    yield from (shown(own[key], 3) for key in KEYS)
    yield from (shown(own["steps_still_flagged"][size], 2) for size in sizes)


def _origin(content: Mapping[str, Any]) -> str:
    machine = content["machine"]
    packages = ", ".join(f"{name} {machine['packages'][name]}" for name in ("torch", "numpy"))
    return f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {packages}. {_extent(content)}\n"


def _extent(content: Mapping[str, Any]) -> str:
    """What makes this run another than the whole one with default settings, if anything does."""
    files = f"The first {content['files']} series of each set only. " if content["files"] else ""
    return files + (f"Changed: {', '.join(content['overrides'])}." if content.get("overrides") else "Default settings.")


def _means(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> Iterator[str]:
    cells = [[name, *(shown(values[key], 3) for key in COLUMNS)] for name, values in rows.items()]
    yield from table([title, *COLUMNS.values()], cells)


def _profiles(scores: Mapping[str, Any]) -> Iterator[str]:
    columns = [(profile, kind) for kind in ("optimised", "automatic") for profile in scores[OURS]]
    cells = [[name, *(shown(own[profile][kind], 1) for profile, kind in columns)] for name, own in scores.items()]
    yield from table(["nab, its own scores", *(f"{profile}, {kind}" for profile, kind in columns)], cells)


def _steps(found: Mapping[str, Any]) -> Iterator[str]:
    rows = {name: figures["steps_still_flagged"] for name, figures in found.items() if figures["steps_still_flagged"]}
    sizes = list(next(iter(rows.values()), {}))
    cells = [[name, *(shown(own[size], 2) for size in sizes)] for name, own in rows.items()]
    yield from table(["steps still flagged 1,000 readings later", *(f"{size} x" for size in sizes)], cells)


def main() -> None:
    """Write the page and the picture anew."""
    results = (RESULTS, ABLATIONS, THRESHOLDS)
    accuracy, parts, rules = (json.loads(file.read_text(encoding="utf-8")) for file in results)
    PICTURE.write_text(svg(accuracy["sets"]), encoding="utf-8")
    text = written(PAGE.read_text(encoding="utf-8"), "accuracy", figures(accuracy))
    text = written(text, "ablations", ablations(parts))
    PAGE.write_text(written(text, "thresholds", thresholds(rules)), encoding="utf-8")


if __name__ == "__main__":
    main()
