"""`tidewatch drift`: how far the newest readings are from the training data, as the workers tell it."""

from __future__ import annotations

import json
import math
from typing import Any

import click
from rich.console import Console

from config.options import with_settings
from config.settings import Settings
from monitoring.scraped import Fleet
from schemas.drift import Report
from schemas.errors import TidewatchError
from stream_app.drift_view import by_drift, shown
from stream_app.fleet import local, together


@click.command()
@click.option("--dataset", help="Only this dataset.")
@click.option("--url", "urls", multiple=True, help="A worker's address; all of a group are added up (repeatable).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; null where there are too few readings.")
@with_settings
def drift(dataset: str | None, urls: tuple[str, ...], as_json: bool, settings: Settings) -> None:
    """See how far the newest readings are from what the detector was trained on, the most drifted feature first.

    Figures are over drift.horizon_seconds of what the workers scored, and those of the training data beside them. The
    bar is how far the mean has moved, full at four standard deviations of training; docs/drift.md explains the rest.

    \b
    Examples:
      tidewatch drift
      tidewatch drift --dataset pumps --json
      tidewatch drift --url http://127.0.0.1:6066 --url http://127.0.0.1:6067
    """
    fleet = together(urls or (local(settings),))
    reports = chosen(fleet, dataset)
    if as_json:
        click.echo(json.dumps([as_plain(report) for report in reports], indent=2))
    else:
        console = Console()
        for report in reports:
            console.print(shown(report, fleet.horizon_seconds, fleet.min_readings))


def chosen(fleet: Fleet, dataset: str | None) -> list[Report]:
    """The reports to show; TidewatchError if there are none."""
    reports = [report for report in fleet.reports if dataset in (None, report.dataset)]
    if not reports:
        there = ", ".join(sorted({f"'{report.dataset}'" for report in fleet.reports})) or "none"
        which = "any dataset" if dataset is None else f"dataset '{dataset}'"
        raise TidewatchError(f"no reading of {which} has come since the worker was started; of others: {there}")
    return reports


def as_plain(report: Report) -> dict[str, Any]:
    """A report for JSON: None where nothing is known."""
    base, live, totals = report.baseline, report.live, report.totals
    return {
        "dataset": report.dataset,
        "release": report.release,
        "readings": totals.readings,
        "windows": totals.windows,
        "global_mean": _beside(base.mean.mean(), live.global_mean),
        "error_median": _beside(base.error_median, live.error_median),
        "error_p95": _beside(base.error_p95, live.error_p95),
        "anomaly_rate": _beside(base.anomaly_rate, live.anomaly_rate),
        "flag_rate": {"live": _known(live.flag_rate)},
        "features": [
            {
                "feature": base.features[f],
                "values": int(totals.values[f]),
                "psi": _known(live.psi[f]),
                "ks": _known(live.ks[f]),
                "mean": _beside(base.mean[f], live.mean[f]),
                "std": _beside(base.std[f], live.std[f]),
                "missing_share": _beside(base.missing_share[f], live.missing_share[f]),
            }
            for f in by_drift(report)
        ],
    }


def _beside(reference: float, live: float) -> dict[str, float | None]:
    return {"ref": _known(reference), "live": _known(live)}


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else float(figure)
