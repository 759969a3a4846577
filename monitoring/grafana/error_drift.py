"""The page *Error drift*: does the detector still reconstruct what it sees?"""

from __future__ import annotations

from monitoring.grafana.now import Column, stat, table
from monitoring.grafana.over_time import against, graph, heatmap
from monitoring.grafana.page import Page, Section, leads_to
from monitoring.grafana.panel import Panel, Query
from monitoring.grafana.promql import ERROR_MEDIAN, ERROR_P95, OF_RELEASE, WINDOWS
from monitoring.grafana.runbooks import runbook

UNIT = "suffix: std²"
RUNBOOK = runbook("error-drift")


def page() -> Page:
    """The windows' errors against those of calibration, which trained nothing."""
    sections = (
        Section("Live against reference", (*_numbers(), *_over_time())),
        Section("All windows", (_ranking(), _spread(), _counts())),
    )
    return Page(
        "error-drift", "Error drift", "Reconstruction errors of the newest half hour against calibration.", sections
    )


def _numbers() -> tuple[Panel, ...]:
    median, p95 = f"{ERROR_MEDIAN.live} / {ERROR_MEDIAN.ref}", f"{ERROR_P95.live} / {ERROR_P95.ref}"
    times = "suffix: times"
    return (
        stat("Windows behind this", "Scored in the horizon, of the chosen datasets.", f"sum({WINDOWS})", width=8),
        stat(
            "Median, by its reference",
            "Of the chosen datasets the largest. An alert follows over 2.",
            f"max({median})",
            unit=times,
            width=8,
            steps=((1.5, "orange"), (2, "red")),
        ),
        stat(
            "95th percentile, by its reference",
            "Of the chosen datasets the largest. An alert follows over 3.",
            f"max({p95})",
            unit=times,
            width=8,
            steps=((2, "orange"), (3, "red")),
        ),
    )


def _over_time() -> tuple[Panel, ...]:
    error = "Mean squared error of a window in scaled units (squared standard deviations of training)."
    return (
        against(
            "Median error",
            f"{error} Half of the windows have more. It rises when the world has moved on. An alert follows over twice"
            " the reference.",
            ERROR_MEDIAN,
            f"2 * {ERROR_MEDIAN.ref} + 1e-5",
            unit=UNIT,
            links=(RUNBOOK,),
        ),
        against(
            "95th percentile of errors",
            f"{error} One window in twenty has more. It rises alone when some series or some states are new. An alert"
            " follows over three times the reference.",
            ERROR_P95,
            f"3 * {ERROR_P95.ref} + 1e-5",
            unit=UNIT,
            links=(RUNBOOK,),
        ),
    )


def _ranking() -> Panel:
    return table(
        "By dataset",
        "Live beside reference, now.",
        Column("median, reference", _row(ERROR_MEDIAN.ref), UNIT),
        Column("median, live", _row(ERROR_MEDIAN.live), UNIT),
        Column("95th, reference", _row(ERROR_P95.ref), UNIT),
        Column("95th, live", _row(ERROR_P95.live), UNIT),
        Column("windows", _row(WINDOWS)),
        first="median, live",
        width=24,
        height=6,
        links=(leads_to("feature-drift", "Which feature is it? Feature drift"), RUNBOOK),
    )


def _row(expr: str) -> str:
    return f"max by (dataset, release) ({expr})"


def _spread() -> Panel:
    return heatmap(
        "How errors are spread",
        "Windows of the horizon by their error, over time, ten buckets a decade. A second band is a second state.",
        f"sum by (le) (tidewatch_drift_error_bucket{{{OF_RELEASE}}})",
        unit=UNIT,
    )


def _counts() -> Panel:
    return graph(
        "Windows in the horizon",
        "Figures are left out while fewer than drift.min_readings are behind them.",
        Query(WINDOWS, "{{dataset}} {{release}}"),
        width=24,
    )
