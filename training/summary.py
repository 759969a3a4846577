"""The end of a training run: a table of networks, and what the detector as a whole is worth."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Grid

from schemas.evaluation import Evaluation, Injected, Labelled
from training.outcome import Outcome


def show(console: Console, outcome: Outcome) -> None:
    """The closing table, and what the figures in it are."""
    console.print(networks_grid(outcome))
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, text in figures(outcome):
        grid.add_row(name, text)
    console.print(grid)
    if outcome.evaluation.injected and not _met(outcome.evaluation):
        console.print()
        console.print(injected_grid(outcome.evaluation.injected))
        console.print(_untouched(outcome.evaluation.injected), style="dim")


def injected_grid(injected: Sequence[Injected]) -> Grid:
    """A row for each kind, a column for each size: which share of the tries was found, and how soon."""
    grid = Grid(box=None, pad_edge=False, header_style="bold", show_header=False)
    grid.add_column()
    for unit in dict.fromkeys(one.unit for one in injected):
        mine = [one for one in injected if one.unit == unit]
        sizes = sorted({one.size for one in mine})
        for _ in range(len(sizes) - len(grid.columns) + 1):
            grid.add_column(justify="right")
        grid.add_row("injected" * (not grid.row_count), *(f"{size:g} {unit}" for size in sizes), style="bold")
        for kind in dict.fromkeys(one.kind for one in mine):
            found = {one.size: _found(one) for one in mine if one.kind == kind}
            grid.add_row(kind, *(found.get(size, "") for size in sizes))
    return grid


def _found(one: Injected) -> str:
    delay = "" if one.median_delay_rows is None else f" +{one.median_delay_rows:.0f}"
    return f"{one.recall:.0%}{delay}"


def _untouched(injected: Sequence[Injected]) -> str:
    tries, alarms = sum(one.tries for one in injected), sum(one.false_alarms for one in injected)
    return (
        "found in copies of the test part, where the untouched readings are not flagged; + readings until then, at the "
        f"median; {alarms / tries:.0%} of the same stretches are flagged untouched"
    )


def networks_grid(outcome: Outcome) -> Grid:
    """A row for each network."""
    labelled = _met(outcome.evaluation)
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    grid.add_column("network")
    for column in ("train loss", "validation loss", "best epoch", *(["AUC-PR"] if labelled else []), "seconds"):
        grid.add_column(column, justify="right")
    for name, history in outcome.networks.items():
        best, kept = history.best, f"{history.best.number} of {history.done}" if history.done else "not trained"
        cells = [f"{best.train_loss:.4f}", f"{best.validation_loss:.4f}", kept]
        cells += [_number(labelled.auc_pr_by_network[name])] if labelled else []
        grid.add_row(name, *cells, f"{history.seconds:.1f}")
    return grid


def figures(outcome: Outcome) -> list[tuple[str, str]]:
    """What the detector as a whole is worth, each figure with what it was measured on."""
    threshold, evaluation = outcome.threshold, outcome.evaluation
    lines = [
        (
            "threshold",
            f"1 on the scale of scores (a combined error of {threshold.level:.3g}), set by {threshold.method}",
        ),
        ("flag rate", _rate(evaluation)),
    ]
    if labelled := _met(evaluation):
        return lines + _agreement(labelled)
    none = ("injected", "nothing: the test part has no room for an anomaly, or no feature ever varied")
    return lines if evaluation.injected else [*lines, none]


def _met(evaluation: Evaluation) -> Labelled | None:
    """What labels say, if they know of an event."""
    return evaluation.labelled if evaluation.labelled and evaluation.labelled.events else None


def _rate(evaluation: Evaluation) -> str:
    rate = evaluation.flag_rate
    if rate.measured is None:
        return f"promised {rate.promised:.2%}; not measured: no window of the test part is without a labelled anomaly"
    return (
        f"promised {rate.promised:.2%}, measured {rate.measured:.2%} ({rate.flagged:,} of {rate.windows:,} windows "
        f"of the test part, which set nothing{'; those with a labelled anomaly apart' * bool(_met(evaluation))})"
    )


def _agreement(labelled: Labelled) -> list[tuple[str, str]]:
    chance = labelled.anomalous / labelled.windows
    return [
        (
            "ranking",
            f"VUS-PR {_number(labelled.vus_pr)}, AUC-PR {_number(labelled.auc_pr)} (chance is {chance:.3f}), "
            f"AUC-ROC {_number(labelled.auc_roc)}, best F1 {_number(labelled.best_f1)} (flagging all is "
            f"{2 * chance / (1 + chance):.3f})",
        ),
        (
            "flags",
            f"F1 {labelled.f1:.3f}, false alarms {labelled.far:.2%} of normal windows, missed {labelled.mar:.2%} of "
            "anomalous ones, at the automatic threshold and without point adjustment",
        ),
        ("events", _events(labelled)),
        ("measured on", _measured(labelled)),
    ]


def _events(labelled: Labelled) -> str:
    delay = labelled.median_delay_rows
    soon = "" if delay is None else f", at the median {delay:g} readings after they began"
    return f"{labelled.events_found} of {labelled.events} found{soon}"


def _measured(labelled: Labelled) -> str:
    tested, before = labelled.windows - labelled.windows_before, labelled.windows_before
    more = f", where all labels say the same, and {before:,} before it that hold an anomaly" if before else ""
    return f"{tested:,} windows of the test part{more}; events also on those before it that were left out of fitting"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
