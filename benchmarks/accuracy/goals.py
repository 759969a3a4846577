"""The figures that the detector is meant to reach, and what a run has of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks.accuracy.bars import BARS
from benchmarks.accuracy.judging import NAIVE, OURS

Found = Mapping[str, Any]  # the figures of one set


class Goal(NamedTuple):
    """What is measured on which set, and between which values it should be; None is no bound."""

    set: str
    what: str
    value: Callable[[Found], float | None]
    least: float | None
    most: float | None

    @property
    def rule(self) -> str:
        """The bounds in words."""
        if self.most is None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}" if self.least is None else f"{self.least:g} to {self.most:g}"

    def met(self, value: float) -> bool:
        """Whether a value is within the bounds, both inclusive."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def reached(found: Mapping[str, Found]) -> Iterator[tuple[Goal, float, bool]]:
    """Each goal that this run has a figure for, the figure, and whether it is reached."""
    for goal in GOALS:
        value = goal.value(found[goal.set]) if goal.set in found else None
        if value is not None:
            yield goal, value, goal.met(value)


def _mean(name: str) -> Callable[[Found], float | None]:
    def value(found: Found) -> float | None:
        mean: float | None = found["means"][OURS][name]
        return mean

    return value


def _ahead(found: Found) -> float | None:
    """Ours less the best of the others, in mean VUS-PR."""
    ours, *others = (found["means"][name]["vus_pr"] for name in (OURS, NAIVE, *BARS))
    return None if ours is None else float(ours - max(others))


def _steps(size: str) -> Callable[[Found], float | None]:
    def value(found: Found) -> float | None:
        share: float | None = found["steps_still_flagged"].get(size)
        return share

    return value


def _nab(found: Found) -> float | None:
    score: float | None = found["nab"][OURS]["standard"]["optimised"]
    return score


AHEAD, RATE = "VUS-PR over the best of the simple detectors", "measured over promised flag rate"
LONG = ("smd", "asd", "jumpstarter")

GOALS = (
    Goal("skab", AHEAD, _ahead, 0, None),
    *(Goal(name, AHEAD, _ahead, 0.03, None) for name in LONG),
    Goal("skab", "F1 of all rows", _mean("summed_f1"), 0.83, None),
    Goal("skab", "FAR of all rows", _mean("summed_far"), None, 0.16),
    Goal("skab", "MAR of all rows", _mean("summed_mar"), None, 0.19),
    Goal("nab", "NAB's standard profile, best single threshold", _nab, 58, None),
    *(Goal(name, RATE, _mean("rate_over_promise"), 0.8, 1.25) for name in LONG),
    Goal("nab", f"{RATE}, median", _mean("median_rate_over_promise"), None, 1.5),
    *(Goal(name, "steps of 1.5 still flagged", _steps("1.5"), 0.85, None) for name in LONG),
    *(Goal(name, "steps of 2 still flagged", _steps("2"), 0.99, None) for name in LONG),
)
