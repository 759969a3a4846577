"""What the pages ask Prometheus: figures of all workers together, filtered by the pages' variables.

Most are recorded (monitoring/recording_rules.yml), so that pages and alerts go by the same. One with fewer than
drift.min_readings behind it is not there.
"""

from __future__ import annotations

from dataclasses import dataclass

OF_DATASET = 'dataset=~"$dataset"'
OF_RELEASE = f'{OF_DATASET}, release=~"$release"'
OF_FEATURE = f'{OF_RELEASE}, feature=~"$feature"'
BY_FEATURE = "by (dataset, release, feature)"
ENOUGH = ">= on () group_left () tidewatch:drift_min_readings:max"


@dataclass(frozen=True)
class Figure:
    """What training saw, and what the horizon holds."""

    ref: str
    live: str


def _recorded(name: str, labels: str) -> Figure:
    return Figure(f"tidewatch:{name}:ref{{{labels}}}", f"tidewatch:{name}:live{{{labels}}}")


MEAN = _recorded("feature_mean", OF_FEATURE)
STD = _recorded("feature_std", OF_FEATURE)
MISSING = _recorded("feature_missing_share", OF_FEATURE)
ERROR_MEDIAN = _recorded("error_median", OF_RELEASE)
ERROR_P95 = _recorded("error_p95", OF_RELEASE)
ANOMALY_RATE = _recorded("anomaly_rate", OF_RELEASE)

READINGS = f"tidewatch:drift_readings:sum{{{OF_RELEASE}}}"
WINDOWS = f"tidewatch:drift_windows:sum{{{OF_RELEASE}}}"
VALUES = f"tidewatch:drift_values:sum{{{OF_FEATURE}}}"
FLAG_RATE = f"sum by (dataset, release) (tidewatch_drift_flagged_windows{{{OF_RELEASE}}}) / ({WINDOWS} {ENOUGH})"

_ALL_MEANS = _recorded("feature_mean", OF_RELEASE)  # whichever features are chosen
GLOBAL_MEAN = Figure(
    f"avg by (dataset, release) ({_ALL_MEANS.ref})",
    f"avg by (dataset, release) ({_ALL_MEANS.live} or {_ALL_MEANS.ref})"
    f" and count by (dataset, release) ({_ALL_MEANS.live})",
)

# In deviations of training. A constant feature has none: its own graphs show it.
DISTANCE = f"abs({MEAN.live} - {MEAN.ref}) / ({STD.ref} > 0)"
STD_RATIO = f"{STD.live} / ({STD.ref} > 0)"

_SHARE = f"max by (dataset, release, feature, bin) (tidewatch_drift_bin_share_ref{{{OF_FEATURE}}})"
BIN_SHARE = Figure(
    _SHARE,
    f"(sum by (dataset, release, feature, bin) (tidewatch_drift_bin_values{{{OF_FEATURE}}}) + 0.5)"
    f" / on (dataset, release, feature) group_left () ({VALUES}"
    f" + 0.5 * count {BY_FEATURE} ({_SHARE}))",
)
# Of a dataset with very many features there are no bins: the most that any worker has, which the whole hardly exceeds.
PSI = (
    f"(sum {BY_FEATURE} (({BIN_SHARE.live} - {BIN_SHARE.ref}) * ln(({BIN_SHARE.live}) / {BIN_SHARE.ref}))"
    f" and {VALUES} {ENOUGH}) or max {BY_FEATURE} (feature_psi_live{{{OF_FEATURE}}})"
)
PSI_OF_A_DAY = f"tidewatch:feature_psi:day{{{OF_FEATURE}}}"
KS = f"max {BY_FEATURE} (feature_ks_live{{{OF_FEATURE}}})"  # of several workers no less than that of the whole


def rate(metric: str, by: str, labels: str = "") -> str:
    """How much a counter grows in a second, over all workers."""
    return f"sum by ({by}) (rate({metric}{{{labels}}}[$__rate_interval]))"


def grown(metric: str, labels: str = "") -> str:
    """By how much a counter grew in the chosen time; of one that was made in it, `increase` would miss the first."""
    counter = f"{metric}{{{labels}}}"
    return f"sum(({counter} unless {counter} offset $__range) or increase({counter}[$__range])) or vector(0)"
