"""Anomalies to order: what a feature would have said if something had gone wrong with it. Arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

DEVIATIONS = (1.0, 2.0, 4.0, 8.0)  # sizes of what has one, in standard deviations before the test part
SHARES = (0.25, 0.5, 1.0, 2.0)  # sizes of what has only a duration, and so many times `reach` rows long
LONGEST = 2  # times `reach`: how long anything but a spike lasts that has a size


@dataclass(frozen=True, eq=False)
class Healthy:
    """One feature from some row on, (row,) each, and all that chance has a say in when it goes wrong there."""

    values: Float64  # NaN is missing, and stays so
    replay: Float64  # what it said at another time
    noise: Float64  # draws of a standard normal distribution
    step: float  # its standard deviation before the test part, or minus that

    def first(self, rows: int) -> Healthy:
        """The first rows alone."""
        return Healthy(self.values[:rows], self.replay[:rows], self.noise[:rows], self.step)


@dataclass(frozen=True)
class Fault:
    """A kind of anomaly of one size, and for how many rows it lasts."""

    kind: str
    size: float
    unit: str  # "sd" or "rows"
    rows: int

    def inflict(self, healthy: Healthy) -> Float64:
        """What is said instead of `healthy.values`, (row,): changed are at most the first `rows`."""
        said = healthy.values.copy()
        said[: self.rows] = KINDS[self.kind](healthy.first(self.rows), self.size)
        return said


def faults(reach: int, features: int) -> tuple[Fault, ...]:
    """All that can happen, kind by kind and by size; a feature that is alone has no correlation to lose."""
    sized = [
        Fault(kind, size, "sd", 1 if kind == "spike" else LONGEST * reach)
        for kind in ("spike", "level shift", "noise", "drift")
        for size in DEVIATIONS
    ]
    rows = [max(round(share * reach), 1) for share in SHARES]
    lasting = [
        Fault(kind, float(length), "rows", length)
        for kind in ("stuck", "lost correlation")[: min(features, 2)]
        for length in rows
    ]
    return (*sized, *lasting)


def _shift(healthy: Healthy, size: float) -> Float64:
    return healthy.values + size * healthy.step


def _noise(healthy: Healthy, size: float) -> Float64:
    return healthy.values + size * healthy.step * healthy.noise


def _drift(healthy: Healthy, size: float) -> Float64:
    """From where it was, in even steps, as far as `size`."""
    rows = len(healthy.values)
    return healthy.values + size * healthy.step * np.arange(1, rows + 1) / rows


def _stuck(healthy: Healthy, _: float) -> Float64:
    """The first value that is known, again and again."""
    known = healthy.values[~np.isnan(healthy.values)]
    return np.where(np.isnan(healthy.values), np.nan, known[0] if len(known) else np.nan)


def _lost_correlation(healthy: Healthy, _: float) -> Float64:
    """What it said at another time, at the level it has now: by itself it looks well."""
    if np.isnan(healthy.values).all() or np.isnan(healthy.replay).all():
        return healthy.values
    moved = healthy.replay - np.nanmean(healthy.replay) + np.nanmean(healthy.values)
    return np.where(np.isnan(healthy.values) | np.isnan(moved), healthy.values, moved)


KINDS: Mapping[str, Callable[[Healthy, float], Float64]] = {
    "spike": _shift,
    "level shift": _shift,
    "noise": _noise,
    "drift": _drift,
    "stuck": _stuck,
    "lost correlation": _lost_correlation,
}


def places(free: Mask, breaks: Index, before: int, after: int, count: int, random: np.random.Generator) -> Index:
    """Up to `count` rows, spread evenly with chance between them, ascending.

    Each has `before` rows before it, and begins `after` rows, all of them `free` (row,) and of one unbroken stretch;
    at each of `breaks`, beside row 0, another stretch begins. Empty if there is no such row.
    """
    blocked = np.concatenate([[0], np.cumsum(~free)])
    crossed = np.zeros(len(free), np.int64)
    crossed[breaks] = 1
    crossed = np.cumsum(crossed)
    first = np.arange(before, len(free) - after + 1)
    begin, end = first - before, first + after
    possible: Index = first[(blocked[end] == blocked[begin]) & (crossed[end - 1] == crossed[begin])]
    if not len(possible):
        return possible
    where = (np.arange(count) + random.random(count)) * len(possible) / count
    return np.unique(possible[where.astype(np.int64)])
