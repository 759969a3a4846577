"""The slow, obvious way to compute what the code computes fast: what its results are held against."""

from __future__ import annotations

from statistics import fmean, median
from typing import Any


def faults_found(
    faults: list[tuple[str, int, int]], flags: list[tuple[str, int]], window: int
) -> tuple[list[int | None], int]:
    """Delays of faults (series, start, end), None for a missed one, and how many false alarms, instant by instant."""
    delays: list[int | None] = []
    explained = set()
    for series, start, end in faults:
        delay = None
        for instant in range(start, end + window + 1):
            if (series, instant) in flags:
                explained.add((series, instant))
                delay = instant - start if delay is None else delay
        delays.append(delay)
    false_alarms = 0
    for series, instant in flags:
        if (series, instant) not in explained:
            before = [(series, instant - back) for back in range(1, window + 1)]
            false_alarms += not any(each in flags and each not in explained for each in before)
    return delays, false_alarms


def ensemble(
    window: Any, outputs: dict[str, Any], scales: dict[str, Any], combine: str, weights: dict[str, float]
) -> dict[str, Any]:
    """One window (time, feature), one output per member and (feature scales, centre, spread) per member, cell by cell.

    Gives the combined error, each feature's share of the blame, its worst row, and what was expected there.
    """
    rows, features, names = range(len(window)), range(len(window[0])), list(outputs)
    standard = {}
    for name, (scale, centre, spread) in scales.items():
        errors = [fmean((outputs[name][r][f] - window[r][f]) ** 2 for r in rows) for f in features]
        standard[name] = (fmean(errors[f] / scale[f] for f in features) - centre) / spread
    quietest_first = sorted(names, key=lambda name: standard[name])
    majority = len(names) // 2 + 1
    combined, heard = {
        "mean": (fmean(standard.values()), names),
        "median": (median(standard.values()), [quietest_first[-majority], quietest_first[majority - 1]]),
        "max": (max(standard.values()), quietest_first[-1:]),
        "vote": (sorted(standard.values(), reverse=True)[majority - 1], [quietest_first[-majority]]),
        "weighted": (sum(weights[n] * standard[n] for n in names) / sum(weights.values()), []),
    }[combine]
    parts = {n: heard.count(n) / len(heard) if heard else weights[n] / sum(weights.values()) for n in names}
    guilt = {
        (r, f): sum(parts[n] * (outputs[n][r][f] - window[r][f]) ** 2 / scales[n][0][f] / scales[n][2] for n in names)
        for r in rows
        for f in features
    }
    worst = [max((guilt[r, f], -r) for r in rows)[1] * -1 for f in features]
    return {
        "combined": combined,
        "shares": [sum(guilt[r, f] for r in rows) / sum(guilt.values()) for f in features],
        "worst": worst,
        "expected": [sum(parts[n] * outputs[n][worst[f]][f] for n in names) for f in features],
    }
