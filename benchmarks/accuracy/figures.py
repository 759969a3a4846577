"""What a series' scores and flags are worth against its labels, and what all of a set's are worth together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from schemas.training import TrainingConfig
from training.measures import Confusion, Detection, Ranking, confusion, detection, rank

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Values = dict[str, float | None]

PROMISED = TrainingConfig().threshold.rate  # share of normal rows that are flagged
RANKED = ("vus_pr", "auc_pr", "best_f1")


@dataclass(frozen=True)
class Figures:
    """One detector on one series; `ranking` is None where labels are all the same. Nothing is point-adjusted."""

    ranking: Ranking | None
    rows: Confusion
    found: Detection

    def values(self) -> Values:
        """By name; what an absence of events leaves undefined is None."""
        ranked: Values = {name: getattr(self.ranking, name, None) for name in RANKED}
        far, any_event = self.rows.false_alarm_rate, self.found.events > 0
        return ranked | {
            "f1": self.rows.f1 if any_event else None,
            "far": far,
            "mar": self.rows.missed_alarm_rate if any_event else None,
            "event_recall": self.found.recall if any_event else None,
            "rate_over_promise": far / PROMISED,  # flagged normal rows, by how many were promised
        }


def figures(scores: Float64, flags: Mask, labels: Mask, buffer: int) -> Figures:
    """Judge scores and flags of rows, (m,) each."""
    rankable = labels.any() and not labels.all()
    ranking = rank(scores, labels, buffer) if rankable else None
    return Figures(ranking, confusion(flags, labels), detection(flags, labels))


def together(each: Sequence[Figures]) -> Values:
    """Means over series as far as they are defined, the median rate, and F1, FAR and MAR over all rows."""
    values = [one.values() for one in each]
    means = {name: _mean([own[name] for own in values]) for name in values[0]}
    rows = reduce(add, (one.rows for one in each))
    return means | {
        "median_rate_over_promise": float(np.median([own["rate_over_promise"] for own in values])),
        "summed_f1": rows.f1,
        "summed_far": rows.false_alarm_rate,
        "summed_mar": rows.missed_alarm_rate,
    }


def rounded(values: Values) -> Values:
    """To four decimals; what is not known stays None."""
    return {key: None if value is None else round(value, 4) for key, value in values.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
