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

FOLDER = Path(__file__).parents[1]
PAGE = FOLDER / "README.md"
RESULTS = FOLDER / "results" / "accuracy.json"
PICTURE = FOLDER / "results" / "accuracy.svg"
BEGIN, END = "<!-- accuracy -->\n", "<!-- end of accuracy -->\n"


def written(text: str, content: Mapping[str, Any]) -> str:
    """The page with the figures of `content` between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(
            f"{PAGE} has no {BEGIN.strip()} with {END.strip()} after it; put both where the figures belong"
        )
    return before + begin + "\n" + "\n".join(figures(content)) + "\n" + end + after


def figures(content: Mapping[str, Any]) -> Iterator[str]:
    """All tables of a run."""
    machine = content["machine"]
    packages = ", ".join(f"{name} {machine['packages'][name]}" for name in ("torch", "numpy"))
    yield f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {packages}. {_extent(content)}\n"
    yield f"![mean VUS-PR by set and detector](results/{PICTURE.name})\n"
    goals = reached(content["sets"])
    cells = [[goal.set, goal.what, f"{value:.3f}", goal.rule, "yes" if met else "no"] for goal, value, met in goals]
    yield from _table(["set", "figure", "measured", "goal", "reached"], cells)
    for name, found in content["sets"].items():
        yield from _means(f"{name}, means over {found['series']} series", found["means"])
        if found["ablations"]:
            yield from _means(f"{name}, ablations", {OURS: found["means"][OURS]} | found["ablations"])
        if "nab" in found:
            yield from _profiles(found["nab"])
    yield from _steps(content["sets"])


def _extent(content: Mapping[str, Any]) -> str:
    """What makes this run another than the whole one with default settings, if anything does."""
    files = f"The first {content['files']} series of each set only. " if content["files"] else ""
    return files + (f"Changed: {', '.join(content['overrides'])}." if content["overrides"] else "Default settings.")


def _means(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> Iterator[str]:
    cells = [[name, *(shown(values[key], 3) for key in COLUMNS)] for name, values in rows.items()]
    yield from _table([title, *COLUMNS.values()], cells)


def _profiles(scores: Mapping[str, Any]) -> Iterator[str]:
    columns = [(profile, kind) for kind in ("optimised", "automatic") for profile in scores[OURS]]
    cells = [[name, *(shown(own[profile][kind], 1) for profile, kind in columns)] for name, own in scores.items()]
    yield from _table(["nab, its own scores", *(f"{profile}, {kind}" for profile, kind in columns)], cells)


def _steps(found: Mapping[str, Any]) -> Iterator[str]:
    rows = {name: figures["steps_still_flagged"] for name, figures in found.items() if figures["steps_still_flagged"]}
    sizes = list(next(iter(rows.values()), {}))
    cells = [[name, *(shown(own[size], 2) for size in sizes)] for name, own in rows.items()]
    yield from _table(["steps still flagged 1,000 readings later", *(f"{size} x" for size in sizes)], cells)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---|' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def main() -> None:
    """Write the page and the picture anew."""
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    PICTURE.write_text(svg(content["sets"]), encoding="utf-8")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), content), encoding="utf-8")


if __name__ == "__main__":
    main()
