"""The page *Anomaly-rate drift*: is as much unusual as the release was calibrated to find?"""

from __future__ import annotations

from monitoring.grafana.now import Column, stat, table
from monitoring.grafana.over_time import against, graph
from monitoring.grafana.page import Page, Section, leads_to
from monitoring.grafana.panel import Panel, Query
from monitoring.grafana.promql import ANOMALY_RATE, FLAG_RATE, OF_DATASET, WINDOWS, rate
from monitoring.grafana.runbooks import runbook

SHARE = "percentunit"
ALERT = f"3 * {ANOMALY_RATE.ref} + 0.05"
RUNBOOK = runbook("anomaly-rate")


def page() -> Page:
    """The share of windows over the release's threshold, and over the one that adapts."""
    sections = (
        Section("Live against reference", (*_numbers(), *_rates())),
        Section("By dataset", (_ranking(), _flags())),
    )
    description = "Windows over the threshold in the newest half hour against calibration."
    return Page("anomaly-rate-drift", "Anomaly-rate drift", description, sections)


def _numbers() -> tuple[Panel, ...]:
    return (
        stat("Windows behind this", "Scored in the horizon, of the chosen datasets.", f"sum({WINDOWS})", width=8),
        stat(
            "Rate beyond where an alert follows",
            "Of the chosen datasets the largest; negative is below.",
            f"max({ANOMALY_RATE.live} - ({ALERT}))",
            unit=SHARE,
            width=8,
            steps=((0, "red"),),
        ),
        stat(
            "Flagged",
            "Of the chosen datasets the largest share of windows that were published as flags.",
            f"max({FLAG_RATE})",
            unit=SHARE,
            width=8,
        ),
    )


def _rates() -> tuple[Panel, ...]:
    return (
        against(
            "Anomaly rate",
            "Share of the horizon's windows over the release's own threshold, which never adapts: so a drift stays in"
            " sight. An alert follows over three times the reference and 5 % more.",
            ANOMALY_RATE,
            ALERT,
            unit=SHARE,
            links=(RUNBOOK,),
        ),
        graph(
            "Anomaly rate and flag rate",
            "Flags go by the threshold that adapts, out of a budget. Both high: much is wrong. The anomaly rate alone:"
            " the world has moved on and the threshold with it.",
            Query(ANOMALY_RATE.live, "{{dataset}} anomalies {{release}}"),
            Query(FLAG_RATE, "{{dataset}} flags {{release}}"),
            unit=SHARE,
        ),
    )


def _ranking() -> Panel:
    return table(
        "Rates, now",
        "Live beside reference.",
        Column("anomalies, reference", _row(ANOMALY_RATE.ref), SHARE),
        Column("anomalies, live", _row(ANOMALY_RATE.live), SHARE),
        Column("flags", _row(FLAG_RATE), SHARE),
        Column("windows", _row(WINDOWS)),
        first="anomalies, live",
        links=(leads_to("error-drift", "How large are the errors? Error drift"), RUNBOOK),
    )


def _row(expr: str) -> str:
    return f"max by (dataset, release) ({expr})"


def _flags() -> Panel:
    return graph(
        "Flags a second",
        "Windows flagged.",
        Query(rate("tidewatch_flags_total", "dataset", OF_DATASET), "{{dataset}}"),
        unit="cps",
    )
