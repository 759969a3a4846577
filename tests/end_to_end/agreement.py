"""Whether flags on a topic are those that should be there: pure comparisons, which say in words what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from schemas.flag import Flag

TOLERANCE = 1e-5  # of a score: batches of another size sum in another order
SHARE_TOLERANCE = 1e-4  # of an attribution, a quotient of such sums

EXACT = ("dataset", "series_id", "window_start", "timestamp", "release", "imputed")


def disagreements(published: Sequence[Flag], expected: Iterable[Flag]) -> list[str]:
    """What is wrong with `published`, a topic's flags in their order in each partition; empty if nothing is.

    Every expected window has to be there, no other one, each as expected, doubles too; of each series, the first
    occurrences have to be in order of time.
    """
    wanted = {flag.id: flag for flag in expected}
    there = {flag.id for flag in published}
    return [
        *(f"{name(flag)} is missing" for flag in wanted.values() if flag.id not in there),
        *(f"{name(flag)} is not expected" for flag in published if flag.id not in wanted),
        *(what for flag in published if flag.id in wanted for what in differences(flag, wanted[flag.id])),
        *disorder(published),
    ]


def differences(mine: Flag, other: Flag) -> Iterator[str]:
    """In what two flags of one window differ by more than the batches in which they were computed."""
    for field in EXACT:
        if getattr(mine, field) != getattr(other, field):
            yield f"{name(mine)} has {field} {getattr(mine, field)}, not {getattr(other, field)}"
    for what, value, wanted in _numbers(mine, other):
        if not close(value, wanted):
            yield f"{name(mine)} has {what} {value!r}, not {wanted!r}"
    if mine.is_anomaly != (mine.score > mine.threshold) or mine.flag != int(mine.is_anomaly):
        yield f"{name(mine)} contradicts itself"
    if mine.is_anomaly == other.is_anomaly:
        yield from _attributions(mine, other)
    elif not close(other.score, other.threshold):
        yield f"{name(mine)} has is_anomaly {mine.is_anomaly}, not {other.is_anomaly}"


def _numbers(mine: Flag, other: Flag) -> Iterator[tuple[str, float, float]]:
    yield "score", mine.score, other.score
    yield "threshold", mine.threshold, other.threshold
    for model in mine.model_scores.keys() | other.model_scores.keys():
        nothing = float("nan")
        yield f"{model} score", mine.model_scores.get(model, nothing), other.model_scores.get(model, nothing)


def _attributions(mine: Flag, other: Flag) -> Iterator[str]:
    shares, wanted = _shares(mine), _shares(other)
    if shares.keys() != wanted.keys() or any(abs(shares[key] - wanted[key]) > SHARE_TOLERANCE for key in shares):
        yield f"{name(mine)} blames {shares}, not {wanted}"


def _shares(flag: Flag) -> Mapping[str, float]:
    return {blame.feature: blame.share for blame in flag.attribution}


def disorder(published: Iterable[Flag]) -> Iterator[str]:
    """Windows whose first occurrence comes after that of a later window of their series."""
    newest: dict[tuple[str, str], Flag] = {}
    for flag in first_occurrences(published):
        before = newest.get((flag.dataset, flag.series_id))
        if before is not None and flag.timestamp <= before.timestamp:
            yield f"{name(flag)} comes after {before.timestamp}"
        newest[flag.dataset, flag.series_id] = flag


def first_occurrences(published: Iterable[Flag]) -> list[Flag]:
    """Of doubles, the first."""
    seen: dict[str, Flag] = {}
    for flag in published:
        seen.setdefault(flag.id, flag)
    return list(seen.values())


def successions(published: Iterable[Flag]) -> set[tuple[str, ...]]:
    """The releases that judged each series, one after the other, by first occurrences: the different orders."""
    by_series: dict[tuple[str, str], list[str]] = {}
    for flag in first_occurrences(published):
        by_series.setdefault((flag.dataset, flag.series_id), []).append(flag.release)
    return {tuple(release for release, _ in groupby(releases)) for releases in by_series.values()}


def close(value: float, wanted: float) -> bool:
    """Equal, but for the size of the batch that it was computed in."""
    return abs(value - wanted) <= TOLERANCE * max(1.0, abs(wanted))


def name(flag: Flag) -> str:
    """The window, for people."""
    return f"{flag.dataset}/{flag.series_id} {flag.timestamp}"
