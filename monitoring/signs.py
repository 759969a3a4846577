"""Signs of drift at a glance: what goes beyond the limits of the alert rules right now, whatever it did before."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.drift import Report

# As in alert_rules.yml, which looks at them for minutes before it calls somebody.
MEAN_STDS = 3  # a feature's mean has moved by so many standard deviations of training
SPREAD_TIMES = 2  # a feature's standard deviation is so many times that of training
MISSING_MORE = 0.2  # so much more of a feature's values are missing
MEDIAN_TIMES, P95_TIMES = 2, 3  # the windows' errors are so many times those of training
RATE_TIMES, RATE_MORE = 3, 0.05  # the share of anomalous windows
TINY_PART, TINY_ERROR = 1e-6, 1e-5  # of a mean, and of an error: less is rounding


def signs(report: Report) -> list[str]:
    """One for each figure that is beyond its limit, in words; where too few readings say nothing there is none."""
    return [*_of_features(report), *_of_errors(report)]


def _of_features(report: Report) -> Iterator[str]:
    base, live = report.baseline, report.live
    for f, name in enumerate(base.features):
        tiny = TINY_PART * abs(base.mean[f])
        if abs(live.mean[f] - base.mean[f]) > MEAN_STDS * base.std[f] + tiny:
            yield f"{name}: mean {live.mean[f]:.4g} instead of {base.mean[f]:.4g}"
        if live.std[f] > SPREAD_TIMES * base.std[f] + tiny:
            yield f"{name}: spread {live.std[f]:.3g} instead of {base.std[f]:.3g}"
        if live.missing_share[f] > base.missing_share[f] + MISSING_MORE:
            yield f"{name}: {live.missing_share[f]:.0%} missing"


def _of_errors(report: Report) -> Iterator[str]:
    base, live = report.baseline, report.live
    if live.error_median > MEDIAN_TIMES * base.error_median + TINY_ERROR:
        yield f"error of the windows {live.error_median / max(base.error_median, TINY_ERROR):.1f} times the usual"
    elif live.error_p95 > P95_TIMES * base.error_p95 + TINY_ERROR:
        yield f"largest errors {live.error_p95 / max(base.error_p95, TINY_ERROR):.1f} times the usual"
    if live.anomaly_rate > RATE_TIMES * base.anomaly_rate + RATE_MORE:
        yield f"{live.anomaly_rate:.0%} of windows over the release's threshold"
