"""The page *Feature drift*: do the sensors still say what they said in training?"""

from __future__ import annotations

from monitoring.grafana.now import Column, bars, stat, table
from monitoring.grafana.over_time import against, graph
from monitoring.grafana.page import THIS_FEATURE, Page, Section, leads_to
from monitoring.grafana.panel import Panel, Query
from monitoring.grafana.promql import (
    BIN_SHARE,
    BY_FEATURE,
    DISTANCE,
    GLOBAL_MEAN,
    KS,
    MEAN,
    MISSING,
    PSI,
    PSI_OF_A_DAY,
    READINGS,
    STD,
    STD_RATIO,
    VALUES,
)
from monitoring.grafana.runbooks import runbook

EACH = "{{dataset}} {{feature}} {{release}}"
RAW = "none"  # in the feature's own unit, which nobody knows


def page() -> Page:
    """Which features moved, how far, and what became of each."""
    sections = (
        Section("What has moved", (*_numbers(), _ranking())),
        Section("How far, all of them", _distances()),
        Section("$feature", _feature(), repeat="feature"),
    )
    return Page("feature-drift", "Feature drift", "The newest half hour of each feature against training.", sections)


def _numbers() -> tuple[Panel, ...]:
    return (
        stat("Readings behind this", "In the horizon, of the chosen datasets.", f"sum({READINGS})", width=6),
        stat("Features", "With enough values to tell.", f"count({MEAN.live})", width=6),
        stat(
            "Farthest mean",
            "Of the chosen features the largest distance between live and reference mean. An alert follows over 3.",
            f"max({DISTANCE})",
            unit="suffix: std",
            width=6,
            steps=((2, "orange"), (3, "red")),
        ),
        stat(
            "Most missing",
            "Of the chosen features the largest share of readings without a value, beyond that in training.",
            f"max({MISSING.live} - {MISSING.ref})",
            unit="percentunit",
            width=6,
            steps=((0.1, "orange"), (0.2, "red")),
        ),
    )


def _ranking() -> Panel:
    return table(
        "Most moved first",
        "Live beside reference, now; std is the standard deviation of training. A constant feature has none to"
        " be distant by. A feature's name leads to its graphs.",
        Column("mean, reference", _row(MEAN.ref), RAW),
        Column("mean, live", _row(MEAN.live), RAW),
        Column("distance", _row(DISTANCE), "suffix: std", ((2, "orange"), (3, "red"))),
        Column("std, reference", _row(STD.ref), RAW),
        Column("std, live", _row(STD.live), RAW),
        Column("missing, reference", _row(MISSING.ref), "percentunit"),
        Column("missing, live", _row(MISSING.live), "percentunit"),
        Column("PSI", _row(PSI)),
        Column("values", _row(VALUES)),
        first="distance",
        width=24,
        cells=(("feature", leads_to("feature-drift", "This feature alone", THIS_FEATURE)),),
        links=(leads_to("error-drift", "Does the detector mind? Error drift"), runbook("feature-mean")),
    )


def _row(expr: str) -> str:
    """Without the metric's name, by which rows would be told apart."""
    return f"max {BY_FEATURE} ({expr})"


def _distances() -> tuple[Panel, ...]:
    return (
        graph(
            "Distance of the mean",
            "Between live and reference, in standard deviations of training. An alert follows over 3.",
            Query(DISTANCE, EACH),
            unit="suffix: std",
            mark=3,
            links=(runbook("feature-mean"),),
        ),
        graph(
            "Live std by that of training",
            "1 is as in training. An alert follows over 2: noise, a loose contact, a machine that hunts. Less than 1 is"
            " usual within a rhythm longer than half an hour.",
            Query(STD_RATIO, EACH),
            mark=2,
            links=(runbook("feature-spread"), runbook("feature-stuck")),
        ),
        graph(
            "PSI, half an hour",
            "The population stability index of the horizon against training. It is large of anything with a rhythm"
            " longer than the horizon: go by which feature is the highest, not by how high it is.",
            Query(PSI, EACH),
            width=8,
            links=(runbook("feature-distribution"),),
        ),
        graph(
            "PSI, a day",
            "Over whole days it means what it means by custom: below 0.1 hardly any drift, over 0.25 much, and an alert"
            " follows. Nothing before 20 hours are known.",
            Query(PSI_OF_A_DAY, EACH),
            width=8,
            mark=0.25,
            links=(runbook("feature-distribution"),),
        ),
        graph(
            "Kolmogorov-Smirnov distance",
            "The largest difference between the live and the reference distribution function, 0 to 1; of several"
            " workers the largest, which is no less than that of all together.",
            Query(KS, EACH),
            width=8,
        ),
        graph(
            "Missing beyond training",
            "Share of readings without a value, less that in training. An alert follows over a fifth.",
            Query(f"{MISSING.live} - {MISSING.ref}", EACH),
            unit="percentunit",
            mark=0.2,
            zero=False,
            links=(runbook("feature-missing"),),
        ),
        against(
            "Global mean",
            "The mean of the means of all features, whatever their units: a first glance only, ruled by the largest"
            " numbers.",
            GLOBAL_MEAN,
            unit=RAW,
            zero=False,
        ),
    )


def _feature() -> tuple[Panel, ...]:
    """Of one feature, in its own unit."""
    three = f"(3 * {STD.ref} + 1e-6 * abs({MEAN.ref}))"
    return (
        against(
            "Mean of $feature",
            "In the feature's own unit. An alert follows beyond three standard deviations of training.",
            MEAN,
            f"{MEAN.ref} + {three}",
            f"{MEAN.ref} - {three}",
            unit=RAW,
            width=6,
            zero=False,
            links=(runbook("feature-mean"),),
        ),
        against(
            "Standard deviation of $feature",
            "In the feature's own unit. An alert follows over twice that of training.",
            STD,
            f"2 * {STD.ref} + 1e-6 * abs({MEAN.ref})",
            unit=RAW,
            width=6,
            links=(runbook("feature-spread"), runbook("feature-stuck")),
        ),
        against(
            "Readings without $feature",
            "An alert follows a fifth beyond training.",
            MISSING,
            f"{MISSING.ref} + 0.2",
            unit="percentunit",
            width=6,
            links=(runbook("feature-missing"),),
        ),
        bars(
            "Distribution of $feature, now",
            "Share of the values in each bin, from the lowest values to the highest; each bin has some tenth of"
            " training, or one value alone. Choose one dataset and one release. Beyond 200 features there are no bins.",
            BIN_SHARE,
            label="bin",
        ),
    )
