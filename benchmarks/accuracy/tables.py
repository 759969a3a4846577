"""The figures as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.accuracy.goals import reached
from benchmarks.accuracy.judging import OURS

COLUMNS = {
    "vus_pr": "VUS-PR",
    "auc_pr": "AUC-PR",
    "best_f1": "best F1",
    "f1": "F1",
    "far": "FAR",
    "mar": "MAR",
    "event_recall": "events",
    "rate_over_promise": "rate / promise",
    "median_rate_over_promise": "its median",
    "summed_f1": "F1, all rows",
    "summed_far": "FAR, all rows",
    "summed_mar": "MAR, all rows",
}


def show(console: Console, found: Mapping[str, Any]) -> None:
    """For each set its means, NAB's own scores, and what became of steps; then the goals."""
    for name, figures in found.items():
        title = f"{name}: means over {figures['series']} series"
        console.print(means(title, figures["means"]))
        if figures["ablations"]:
            console.print(means(f"{name}: ablations", {OURS: figures["means"][OURS]} | figures["ablations"]))
        if "nab" in figures:
            console.print(profiles(figures["nab"]))
        steps = ", ".join(f"{size} x: {share:.2f}" for size, share in figures["steps_still_flagged"].items())
        console.print(f"steps still flagged 1,000 readings later, by size over the threshold: {steps or '-'}\n")
    console.print(goals(found))


def goals(found: Mapping[str, Any]) -> Table:
    """What was to be reached, and what was."""
    table = Table("set", "figure", "measured", "goal", "reached", title="goals")
    for goal, value, met in reached(found):
        table.add_row(goal.set, goal.what, f"{value:.3f}", goal.rule, "yes" if met else "no")
    return table


def means(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> Table:
    """A row for each detector."""
    table = Table("detector", *COLUMNS.values(), title=title)
    for detector, values in rows.items():
        table.add_row(detector, *(shown(values[key], 3) for key in COLUMNS))
    return table


def profiles(scores: Mapping[str, Any]) -> Table:
    """NAB's scores: at the best single threshold, and at the automatic one."""
    columns = [(profile, kind) for kind in ("optimised", "automatic") for profile in next(iter(scores.values()))]
    table = Table("detector", *(f"{profile}, {kind}" for profile, kind in columns), title="NAB's own scores")
    for detector, values in scores.items():
        table.add_row(detector, *(shown(values[profile][kind], 1) for profile, kind in columns))
    return table


def shown(value: float | None, digits: int) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"
