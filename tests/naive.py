"""The slow, obvious way to compute what the code computes fast: what its results are held against."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from statistics import fmean, median
from typing import Any

import numpy as np

from models.detector import Detector
from models.thresholds import FlagBudget


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
    window: Any,
    outputs: dict[str, Any],
    scales: dict[str, Any],
    combine: str,
    weights: dict[str, float],
    judged: dict[str, int],
) -> dict[str, Any]:
    """A window's newest rows (row, feature), one output and (feature scales, centre, spread) per member, cell by cell.

    Each member judges the newest `judged` of the rows. Gives the combined error, each feature's share of the blame, its
    worst row, and what was expected there.
    """
    rows, features, names = range(len(window)), range(len(window[0])), list(outputs)
    seen = {name: rows[-judged[name] :] for name in names}
    standard = {}
    for name, (scale, centre, spread) in scales.items():
        errors = [fmean((outputs[name][r][f] - window[r][f]) ** 2 for r in seen[name]) for f in features]
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
    guilt = dict.fromkeys(product(rows, features), 0.0)
    for name, f in product(names, features):
        for r in seen[name]:
            each = (outputs[name][r][f] - window[r][f]) ** 2 / judged[name]
            guilt[r, f] += parts[name] * each / scales[name][0][f] / scales[name][2]
    worst = [max((guilt[r, f], -r) for r in rows)[1] * -1 for f in features]
    return {
        "combined": combined,
        "shares": [sum(guilt[r, f] for r in rows) / sum(guilt.values()) for f in features],
        "worst": worst,
        "expected": [_expected(window, outputs, parts, seen, worst[f], f) for f in features],
    }


def _expected(window: Any, outputs: Any, parts: dict[str, float], seen: dict[str, range], row: int, f: int) -> float:
    """The mean of what those expect that judge the row, by their parts; if nobody does, what is."""
    asked = [name for name in parts if row in seen[name] and parts[name]]
    if not asked:
        return float(window[row][f])
    return float(sum(parts[n] * outputs[n][row][f] for n in asked) / sum(parts[n] for n in asked))


def windows_of_part(
    parts: Any, times: Any, labels: Any, part: int, size: int, stride: int, gap: int, skip_labelled: bool
) -> list[int]:
    """First rows of a series' windows, found by looking at each row of each window; strides begin after each break."""
    firsts, since_break = [], 0
    for first in range(len(times)):
        broken = first == 0 or parts[first - 1] != parts[first] or times[first] - times[first - 1] > gap
        since_break = 0 if broken else since_break + 1
        rows = range(first, first + size)
        if since_break % stride or rows[-1] >= len(times) or any(parts[row] != part for row in rows):
            continue
        pauses = any(times[row] - times[row - 1] > gap for row in rows[1:])
        if not pauses and not (skip_labelled and any(labels[row] for row in rows)):
            firsts.append(first)
    return firsts


def filled(rows: Any, segments: Any, hold_limit: int, default: Any) -> list[list[float]]:
    """Each missing value replaced by the newest one of its stretch that is not too old, or by the default."""
    result = []
    for row in range(len(rows)):
        line = []
        for feature in range(len(default)):
            value = default[feature]
            for back in range(min(hold_limit, row), -1, -1):
                seen = rows[row - back][feature]
                if segments[row - back] == segments[row] and seen == seen:
                    value = seen
            line.append(value)
        result.append(line)
    return result


def flag_budget(scores: Sequence[float], rate: float) -> list[tuple[float, bool]]:
    """The threshold that each score of one series is held to, and whether it is over it."""
    log, budget, unpaid = 0.0, 17.0, 0.0
    decided = []
    for score in scores:
        threshold = max(math.exp(log), 0.5)
        flagged = score > threshold
        paid = flagged and budget >= 1
        if paid or not flagged or unpaid > 1100:
            log -= 1.25 * 0.015 * rate
            if flagged:
                log += 0.015 * min(score / threshold, 1000) ** 0.7
            log = min(max(log, math.log(0.5)), 30)
        if not flagged:
            budget = min(budget + 5 * rate, 17)
        elif paid:
            budget -= 1
        else:
            unpaid += 1
        if budget >= 8.5:
            unpaid = 0.0
        log, budget, unpaid = (float(np.float32(each)) for each in (log, budget, unpaid))
        decided.append((threshold, flagged))
    return decided


@dataclass
class Series:
    """All that ever came of a series: `rows` since the restart are (time, scaled values, which were missing)."""

    newest: int | None = None
    rows: list[tuple[int, list[float], list[bool]]] = field(default_factory=list)
    held: list[float] = field(default_factory=list)  # combined errors, after hold
    scores: list[float] = field(default_factory=list)


def observe(detector: Detector, readings: Sequence[tuple[str, int, list[float]]]) -> tuple[list[Any], Counter[str]]:
    """What a StreamDetector finds in readings (series, time, values), one at a time, and what became of them.

    A window is (row, series, times, rows, features imputed, score, threshold, is_anomaly).
    """
    known: dict[str, Series] = {}
    counts: Counter[str] = Counter()
    windows = []
    for row, (name, time, values) in enumerate(readings):
        series = known.setdefault(name, Series())
        if _admitted(detector, series, time, counts):
            missing = [math.isnan(value) for value in values]
            counts["imputed_values"] += sum(missing)
            series.rows.append((time, _filled(detector, series.rows, values), missing))
            since = len(series.rows) - detector.window
            if since >= 0 and since % detector.stride == 0:
                windows.append((row, name, *_judged(detector, series)))
    return windows, counts


def _admitted(detector: Detector, series: Series, time: int, counts: Counter[str]) -> bool:
    counts["readings"] += 1
    if series.newest is not None and time <= series.newest:
        counts["late" if time < series.newest else "duplicates"] += 1
        return False
    if series.newest is not None and series.rows and time - series.newest > detector.gap_us:
        series.rows.clear()
        counts["gaps"] += 1
    counts["warm_ups"] += not series.rows
    series.newest = time
    return True


def _filled(detector: Detector, rows: list[tuple[int, list[float], list[bool]]], values: list[float]) -> list[float]:
    """Scaled values; a missing one is that of at most `hold_limit` rows ago, else 0, the training mean."""
    filled = [float(value) for value in detector.scaler.transform(np.array(values))]
    for feature, value in enumerate(values):
        if math.isnan(value):
            recent = rows[max(len(rows) - detector.hold_limit, 0) :]
            held = [scaled[feature] for _, scaled, missing in recent if not missing[feature]]
            filled[feature] = held[-1] if held else 0.0
    return filled


def _judged(detector: Detector, series: Series) -> tuple[Any, ...]:
    rows = series.rows[-detector.window :]
    window = np.array([[scaled for _, scaled, _ in rows]], np.float32)
    error = float(detector.score(window).combined[0])
    if detector.hold > 0 and len(series.rows) > detector.window:
        error = max(error, detector.hold * series.held[-1])
    series.held.append(error)
    series.scores.append(float(detector.scale(np.array([error]))[0]))
    threshold, flagged = 1.0, series.scores[-1] > 1
    if isinstance(detector.threshold, FlagBudget):
        threshold, flagged = flag_budget(series.scores, detector.threshold.rate)[-1]
    imputed = [any(missing[feature] for _, _, missing in rows) for feature in range(window.shape[2])]
    return [time for time, _, _ in rows], window[0].tolist(), imputed, series.scores[-1], threshold, flagged


def windows_of(rows: Sequence[Sequence[float]], size: int, stride: int) -> list[list[Sequence[float]]]:
    """Every window of rows that is whole, the first at the beginning."""
    return [list(rows[first : first + size]) for first in range(0, len(rows) - size + 1, stride)]


def nab_score(flags: Sequence[bool], windows: Sequence[tuple[int, int]], false_flag: float, missed: float) -> float:
    """A file's raw score by the Numenta benchmark's rules, row by row: what each flag is worth where it stands."""

    def sigmoid(place: float) -> float:
        return 2 / (1 + math.exp(5 * place)) - 1

    total, best, behind = 0.0, [-missed] * len(windows), None
    for row, flag in enumerate(flags):
        inside = [number for number, (first, last) in enumerate(windows) if first <= row <= last]
        for number in inside:
            first, last = windows[number]
            worth = sigmoid(-(last - row + 1) / (last - first + 1)) / sigmoid(-1)
            best[number] = max(best[number], worth) if flag else best[number]
            behind = windows[number]
        if flag and not inside:
            place = 3.0 if behind is None else (row - behind[1]) / max(behind[1] - behind[0], 1)
            total += false_flag * (-1.0 if place >= 3 else sigmoid(place))
    return total + sum(best)


def places(rows: str, before: int, after: int) -> list[int]:
    """Where `before` rows lie behind and `after` lie ahead, none of them `x` and none but the earliest a break, `|`."""
    found = []
    for row in range(before, len(rows) - after + 1):
        around = rows[row - before : row + after]
        if "x" not in around and "|" not in around[1:]:
            found.append(row)
    return found


def volumes(scores: Sequence[float], stretches: Sequence[Sequence[bool]], buffer: int) -> tuple[float, float]:
    """The volumes under the ROC and the precision-recall surface, each by its definition, one threshold at a time."""
    labels = [label for stretch in stretches for label in stretch]
    falling = sorted(scores, reverse=True)
    thresholds = [falling[int(place)] for place in np.linspace(0, len(scores) - 1, 250)]
    areas = [_areas(scores, labels, stretches, width, thresholds) for width in range(buffer + 1)]
    return sum(roc for roc, _ in areas) / len(areas), sum(pr for _, pr in areas) / len(areas)


def _areas(
    scores: Sequence[float],
    labels: Sequence[bool],
    stretches: Sequence[Sequence[bool]],
    width: int,
    thresholds: Sequence[float],
) -> tuple[float, float]:
    soft, events = _softened(stretches, width)
    curve, area = [(0.0, 0.0)], 0.0
    for threshold in thresholds:
        flagged = [score >= threshold for score in scores]
        true = sum(weight for weight, flag in zip(soft, flagged, strict=True) if flag)
        added = true - sum(label and flag for label, flag in zip(labels, flagged, strict=True))
        positives = sum(labels) + added / 2
        touched = sum(any(flagged[row] for row in event) for event in events) / len(events)
        recall = min(true / positives, 1) * touched
        area += (recall - curve[-1][1]) * true / sum(flagged)
        curve.append(((sum(flagged) - true) / (len(labels) - positives), recall))
    curve.append((1.0, 1.0))
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve)), area


def _softened(stretches: Sequence[Sequence[bool]], width: int) -> tuple[list[float], list[set[int]]]:
    """Every row's label with edges of half of `width` rows, and the rows of each event with them, met ones together."""
    soft: list[float] = []
    events: list[set[int]] = []
    for stretch in stretches:
        offset, own = len(soft), [float(label) for label in stretch]
        for first in [row for row, label in enumerate(stretch) if label and not (row and stretch[row - 1])]:
            last = first
            while last + 1 < len(stretch) and stretch[last + 1]:
                last += 1
            reach = [row for row in range(first - width // 2, last + width // 2 + 1) if 0 <= row < len(stretch)]
            for row in reach:
                own[row] += 0 if first <= row <= last else math.sqrt(1 - max(first - row, row - last) / width)
            rows = {offset + row for row in reach}
            if events and events[-1] & rows:
                rows |= events.pop()
            events.append(rows)
        soft += [min(weight, 1.0) for weight in own]
    return soft, events


def resampled(
    times: Any, values: Any, labels: Any, interval: int, by: str, longest_step: int
) -> list[tuple[int, list[float], bool]]:
    """Rows of a grid, (time, a value for each feature, label), one interval after the other from first to last."""
    rows: list[tuple[int, list[float], bool]] = []
    last = first = math.ceil(times[0] / interval)
    for end in range(first, math.ceil(times[-1] / interval) + 1):
        inside = [row for row, time in enumerate(times) if (end - 1) * interval < time <= end * interval]
        if not inside:
            continue
        if end - last <= longest_step:
            rows += [(k * interval, [math.nan] * len(values[0]), rows[-1][2]) for k in range(last + 1, end)]
        cells = []
        for feature in range(len(values[0])):
            known = [values[row][feature] for row in inside if not math.isnan(values[row][feature])]
            cells.append((known[-1] if by == "last" else fmean(known)) if known else math.nan)
        rows.append((end * interval, cells, any(labels[row] for row in inside)))
        last = end
    return rows


def drift(
    rows: Sequence[Sequence[float]], mean: Sequence[float], bounds: Sequence[Sequence[float]], shares: Any
) -> list[dict[str, float]]:
    """Of each feature of rows with a value: how many, mean, std, share missing, PSI, KS; value by value.

    `bounds` are the inner bounds of a feature's bins, `shares` those of the reference in them. NaN is missing.
    """
    told = []
    for f in range(len(mean)):
        values = [row[f] for row in rows if not math.isnan(row[f])]
        n, bins = len(values), [0] * len(shares[f])
        for value in values:
            bins[sum(value >= bound for bound in bounds[f])] += 1
        live = [(count + 0.5) / (n + 0.5 * len(bins)) for count in bins]
        reached = [sum(bins[: k + 1]) / n - sum(shares[f][: k + 1]) for k in range(len(bins))]
        centre = math.fsum(values) / n
        told.append(
            {
                "values": n,
                "mean": centre,
                "std": math.sqrt(math.fsum((value - centre) ** 2 for value in values) / n),
                "missing_share": 1 - n / len(rows),
                "psi": sum((p - q) * math.log(p / q) for p, q in zip(live, shares[f], strict=True)),
                "ks": max(map(abs, reached)),
            }
        )
    return told
