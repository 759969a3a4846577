"""How well the detector does on published labelled sets, beside simple ones: `python -m benchmarks.accuracy`.

One detector a series, default settings, nothing looks ahead. Figures go to `benchmarks/results/accuracy.json`,
those of a run with each part of the detector off, too, to `ablations.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from benchmarks.accuracy import sets
from benchmarks.accuracy.comparison import Result, Task, judge, results, summary
from benchmarks.accuracy.judging import OURS
from benchmarks.accuracy.tables import show, shown
from benchmarks.worker import machine
from schemas.errors import TidewatchError

WIDTH = 160  # columns, where no terminal says
RESULTS = Path(__file__).parents[1] / "results"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser("python -m benchmarks.accuracy", description=__doc__)
    folder = os.environ.get("TIDEWATCH_DATA")
    parser.add_argument("--data", type=Path, default=folder, required=not folder, metavar="FOLDER",
                        help="holds a folder a set; TIDEWATCH_DATA, if that is set")  # fmt: skip
    parser.add_argument("--sets", help="some of skab, smd, asd, jumpstarter, nab, with commas between; else all found")
    parser.add_argument("--files", type=int, metavar="N", help="only the first N series of each set")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="series worked on at once")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
                        help="change a key of the default config; repeatable")  # fmt: skip
    parser.add_argument("--ablate", action="store_true", help="also with each part of the detector off")
    parser.add_argument("--output", type=Path, help="where the figures go")
    chosen = parser.parse_args(words)
    chosen.output = chosen.output or RESULTS / ("ablations.json" if chosen.ablate else "accuracy.json")
    return chosen


def measure(chosen: argparse.Namespace, console: Console) -> Iterator[dict[str, Any]]:
    """The figures of all sets so far, after each of them: a run that breaks off loses one set. A line a series."""
    found: dict[str, Any] = {}
    for name in chosen.sets.split(",") if chosen.sets else sets.present(chosen.data):
        found[name] = summary(_of_set(chosen, name, console))
        yield found


def _of_set(chosen: argparse.Namespace, name: str, console: Console) -> list[Result]:
    files = sets.find(chosen.data, name, chosen.files)
    tasks = [Task(chosen.data, name, file, tuple(chosen.overrides), chosen.ablate) for file in files]
    found, began = [], perf_counter()
    for result in results(tasks, chosen.jobs, judge):
        found.append(result)
        own = result.figures[OURS]
        vus = shown(own.values()["vus_pr"], 3)
        place = f"{len(found)}/{len(tasks)} {perf_counter() - began:.0f} s"
        console.print(f"{place} {name}/{result.series}: VUS-PR {vus}, F1 {own.rows.f1:.3f}", highlight=False)
    return found


def main() -> None:
    """Measure, print, and write the figures down."""
    chosen, console = arguments(), Console(width=None if sys.stdout.isatty() else WIDTH)
    content = {"machine": machine(), "overrides": chosen.overrides, "files": chosen.files}
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    try:
        for found in measure(chosen, console):
            chosen.output.write_text(json.dumps(content | {"sets": found}, indent=1) + "\n")
    except TidewatchError as error:
        sys.exit(f"error: {error}")
    show(console, found)
    console.print(f"written to {chosen.output}")


if __name__ == "__main__":
    main()
