"""What each kind of threshold makes of the default detector's scores: `python -m benchmarks.accuracy.thresholds`.

The networks are those of `python -m benchmarks.accuracy`, trained if they are not there yet. Figures go to
`benchmarks/results/thresholds.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy import sets, steps
from benchmarks.accuracy.comparison import Task, results
from benchmarks.accuracy.figures import Figures, rounded, together
from benchmarks.accuracy.judging import OURS, adapt, ours
from benchmarks.accuracy.rules import RULES
from benchmarks.worker import machine
from schemas.errors import TidewatchError
from training.measures import confusion, detection

OUTPUT = Path(__file__).parents[1] / "results" / "thresholds.json"

Steps = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Compared:
    """What every rule made of a series: its flags' worth, and steps that it still flagged."""

    figures: Mapping[str, Figures]
    steps: Mapping[str, Steps]


def compare(task: Task) -> Compared:
    """All rules on one series' scores; one process's work."""
    series = sets.read(task.folder, task.set, task.file)
    labels = series.labels
    methods = {method for method, _ in RULES.values()}
    scores = {
        method: ours(series, (*task.overrides, f"threshold.method={method}"), task.kept)[OURS].scores
        for method in methods
    }
    found, held = {}, {}
    for name, (method, rule) in RULES.items():
        flags = adapt(scores[method], rule).flags
        found[name] = Figures(None, confusion(flags, labels), detection(flags, labels))
        held[name] = steps.held(scores[method][~labels], rule)
    return Compared(found, held)


def summary(compared: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """The figures of one set by rule."""
    return {
        name: rounded(together([one.figures[name] for one in compared]))
        | {"steps_still_flagged": rounded(dict(steps.share([one.steps[name] for one in compared])))}
        for name in RULES
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure set by set, and write the figures down."""
    parser = argparse.ArgumentParser("python -m benchmarks.accuracy.thresholds", description=__doc__)
    folder = os.environ.get("TIDEWATCH_DATA")
    parser.add_argument("--data", type=Path, default=folder, required=not folder, metavar="FOLDER")
    parser.add_argument("--sets", help="some of skab, smd, asd, jumpstarter, nab, with commas between; else all found")
    parser.add_argument("--files", type=int, metavar="N", help="only the first N series of each set")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="series worked on at once")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the figures go")
    chosen = parser.parse_args(words)
    content = {"machine": machine(), "files": chosen.files}
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        for found in _measured(chosen):
            chosen.output.write_text(json.dumps(content | {"sets": found}, indent=1) + "\n")
    except TidewatchError as error:
        sys.exit(f"error: {error}")
    print(f"written to {chosen.output}")


def _measured(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The figures of all sets so far, after each of them: a run that breaks off loses one set."""
    found: dict[str, Any] = {}
    for name in chosen.sets.split(",") if chosen.sets else sets.present(chosen.data):
        tasks = [Task(chosen.data, name, file) for file in sets.find(chosen.data, name, chosen.files)]
        found[name] = summary(list(results(tasks, chosen.jobs, compare)))
        rates = ", ".join(f"{rule} {values['rate_over_promise']:.2f}" for rule, values in found[name].items())
        print(f"{name}, measured over promised rate: {rates}", flush=True)
        yield found


if __name__ == "__main__":
    main()
