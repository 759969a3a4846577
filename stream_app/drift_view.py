"""How a dataset stands against its release, as a table for people."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from schemas.drift import Float64, Report
from schemas.printable import printable

BAR_CELLS = 10
BAR_FULL = 4.0  # standard deviations of training
SOME, MUCH = 2.0, 3.0  # likewise: yellow and red
GONE = 0.5  # more of a feature's values are missing than in training
SMALLEST_MOVE = 1e-9  # of the mean: less is rounding
NOTHING = "[dim]-[/dim]"  # too few readings


def shown(report: Report, horizon_seconds: float, min_readings: int) -> Group:
    """All figures of a report, live beside the reference."""
    return Group(*_head(report, horizon_seconds, min_readings), _features(report), "")


def by_drift(report: Report) -> list[int]:
    """The features' places, the most drifted first, those of which nothing is known last."""
    far, psi = distances(report), np.nan_to_num(report.live.psi, nan=-1.0)
    order: list[int] = np.lexsort((-psi, -np.nan_to_num(far, nan=-1.0))).tolist()
    return order


def distances(report: Report) -> Float64:
    """How far each feature's mean has moved, in standard deviations of training; NaN if nothing is known.

    Infinite for one that never changed in training and now does, and for one that most readings lack as they did not.
    """
    base, live = report.baseline, report.live
    moved = np.abs(live.mean - base.mean)
    some = moved > SMALLEST_MOVE * np.abs(base.mean)
    far = np.divide(moved, base.std, out=np.where(some, np.inf, moved), where=base.std > 0)
    return np.where(live.missing_share - base.missing_share > GONE, np.inf, far)


def _head(report: Report, horizon_seconds: float, min_readings: int) -> list[str]:
    base, live, totals = report.baseline, report.live, report.totals
    few = "" if totals.windows >= min_readings else f" [yellow](too few: {min_readings} are needed)[/yellow]"
    minutes = f"the last {horizon_seconds / 60:g} minutes"
    rates = f"{_pair(live.anomaly_rate, base.anomaly_rate, _percent)}, flagged {_or_nothing(live.flag_rate, _percent)}"
    return [
        f"[bold]{escape(report.dataset)}[/bold]  release {escape(report.release)}",
        f"{totals.readings:,} readings and {totals.windows:,} windows of {minutes}{few}",
        "live / reference:",
        f"  error median {_pair(live.error_median, base.error_median)}, p95 {_pair(live.error_p95, base.error_p95)}",
        f"  anomalies {rates}",
        f"  global mean {_pair(live.global_mean, base.mean.mean())}",
    ]


def _features(report: Report) -> Table:
    base, live, far = report.baseline, report.live, distances(report)
    table = Table(box=None, pad_edge=False)
    table.add_column("feature", no_wrap=True)
    table.add_column("drift", no_wrap=True)
    for column in ("mean", "reference", "moved", "std", "missing", "PSI"):
        table.add_column(column, justify="right", no_wrap=True)
    for f in by_drift(report):
        table.add_row(
            escape(printable(base.features[f])),
            _bar(far[f]),
            _or_nothing(live.mean[f], "{:.4g}".format),
            f"{base.mean[f]:.4g}",
            _in_std(live.mean[f] - base.mean[f], base.std[f], "{:+.1f} std"),
            _in_std(live.std[f], base.std[f], "x {:.2f}"),
            _or_nothing(live.missing_share[f], _percent),
            _or_nothing(live.psi[f], "{:.2f}".format),
        )
    return table


def _bar(distance: float) -> str:
    if math.isnan(distance):
        return "[dim]too few[/dim]"
    full = round(min(distance / BAR_FULL, 1.0) * BAR_CELLS)
    colour = "green" if distance < SOME else "yellow" if distance < MUCH else "red"
    return f"[{colour}]{'█' * full}{'░' * (BAR_CELLS - full)}[/{colour}]"


def _in_std(figure: float, std: float, words: str) -> str:
    """In standard deviations of the reference; of a feature that never changed there are none."""
    return NOTHING if math.isnan(figure) or not std else words.format(figure / std)


def _pair(live: float, reference: float, words: Callable[[float], str] = "{:.4g}".format) -> str:
    return f"{_or_nothing(live, words)} / {words(reference)}"


def _or_nothing(figure: float, words: Callable[[float], str]) -> str:
    return NOTHING if math.isnan(figure) else words(figure)


def _percent(share: float) -> str:
    return f"{share:.1%}"
