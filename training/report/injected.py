"""Injected anomalies as a grid: a row for each kind, a column for each size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from schemas.evaluation import Injected
from training.report.words import percent

MEANING = {"sd": "size, in sd before the test part", "rows": "readings it lasts"}


@dataclass(frozen=True)
class Grid:
    """The kinds whose sizes have one unit; a kind that was not tried at a size has None there."""

    title: str
    sizes: list[float]
    rows: dict[str, list[Injected | None]]


def grids(injected: Sequence[Injected]) -> list[Grid]:
    """One for each unit, in the order in which units first come."""
    units = dict.fromkeys(each.unit for each in injected)
    return [_grid(unit, [each for each in injected if each.unit == unit]) for unit in units]


def _grid(unit: str, injected: Sequence[Injected]) -> Grid:
    sizes = sorted({each.size for each in injected})
    rows: dict[str, list[Injected | None]] = {}
    for kind, found in groupby(injected, key=lambda each: each.kind):
        by_size = {each.size: each for each in found}
        rows[kind] = [by_size.get(size) for size in sizes]
    return Grid(MEANING.get(unit, unit), sizes, rows)


def untouched(injected: Sequence[Injected]) -> str:
    """How often the same stretches are flagged with nothing injected: what recall has to be held against."""
    alarms, tries = sum(each.false_alarms for each in injected), sum(each.tries for each in injected)
    return f"Of the same stretches left untouched, {percent(alarms / tries)} were flagged."
