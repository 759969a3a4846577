"""How well scores and flags agree with labels: the measures of the literature, none of them point-adjusted.

Everywhere `scores` (n,) are higher where a row looks more like an anomaly, and `labels` (n,) say which rows are part of
one. An event is an unbroken run of labelled rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

LEVELS = 250  # thresholds at which volumes under the surface are taken


class OneSided(ValueError):
    """All labels say the same: there is nothing to tell apart."""


@dataclass(frozen=True)
class Ranking:
    """How well scores rank anomalous rows above the others, whatever the threshold."""

    vus_pr: float
    vus_roc: float
    auc_pr: float
    auc_roc: float
    best_f1: float


@dataclass(frozen=True)
class Confusion:
    """Rows by what was flagged and what is true; counts may be added up over series."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(*(mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)))

    @property
    def _counts(self) -> tuple[int, int, int, int]:
        return self.true_positives, self.false_positives, self.false_negatives, self.true_negatives

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); 0 if nothing was flagged and nothing is true."""
        right = 2 * self.true_positives
        return _share(right, right + self.false_positives + self.false_negatives)

    @property
    def false_alarm_rate(self) -> float:
        """FAR: the share of normal rows that were flagged."""
        return _share(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def missed_alarm_rate(self) -> float:
        """MAR: the share of anomalous rows that were not flagged."""
        return _share(self.false_negatives, self.false_negatives + self.true_positives)


@dataclass(frozen=True)
class Detection:
    """Which events were found, and how soon: `delays` in rows from an event's first row to its first flag."""

    events: int
    delays: tuple[int, ...]  # of the events found

    @property
    def recall(self) -> float:
        """The share of events with a flag on one of their rows."""
        return _share(len(self.delays), self.events)

    @property
    def median_delay(self) -> float | None:
        """In rows; None if no event was found."""
        return float(np.median(self.delays)) if self.delays else None


def rank(scores: Float64, labels: Mask, buffer: int = 100) -> Ranking:
    """All measures that need no threshold; raises OneSided where they are not defined."""
    _need_both(labels)
    volume_roc, volume_pr = vus(scores, labels, buffer)
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return Ranking(
        vus_pr=volume_pr,
        vus_roc=volume_roc,
        auc_pr=float(average_precision_score(labels, scores)),
        auc_roc=float(roc_auc_score(labels, scores)),
        best_f1=float(f1.max()),
    )


def confusion(flags: Mask, labels: Mask) -> Confusion:
    """Count rows by flag (n,) and label (n,)."""
    cells = np.bincount(2 * labels.astype(np.int64) + flags, minlength=4).tolist()
    return Confusion(cells[3], cells[1], cells[2], cells[0])


def detection(flags: Mask, labels: Mask) -> Detection:
    """Find each event's first flag (n,)."""
    flagged = np.flatnonzero(flags)
    firsts, lasts = events_of(labels)
    places = np.searchsorted(flagged, firsts)
    hits = np.append(flagged, len(labels))[places]
    return Detection(len(firsts), tuple((hits - firsts)[hits <= lasts].tolist()))


def events_of(labels: Mask) -> tuple[Index, Index]:
    """First and last row of each event, (event,) each."""
    edges = np.flatnonzero(np.diff(labels.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2] - 1


def vus(scores: Float64, labels: Mask, buffer: int = 100) -> tuple[float, float]:
    """The volumes under the ROC and under the precision-recall surface, both by labels with soft edges.

    For each width from 0 to `buffer` rows, half of it is added at either side of every event with weights that fall to
    0; recall is multiplied by the share of events that are touched; areas are then averaged over widths.
    Source: Paparrizos et al., Volume Under the Surface, PVLDB 15 (2022), as its authors compute it since 2024 ("opt"):
    what is added counts only where it is flagged, and precision is taken at the right end of each step of recall.
    """
    _need_both(labels)
    surface = _Surface(scores, labels)
    areas = np.array([surface.areas(width) for width in range(buffer + 1)])
    roc, pr = areas.mean(axis=0).tolist()
    return roc, pr


class _Surface:
    """The curves of one series for labels with edges of any width, at `LEVELS` thresholds from the highest score down.

    A row's level is the number of the first threshold that flags it, so counts of flagged rows are cumulative sums.
    """

    def __init__(self, scores: Float64, labels: Mask) -> None:
        falling = -np.sort(-scores)
        thresholds = falling[np.linspace(0, len(scores) - 1, LEVELS).astype(int)]
        self._level = np.searchsorted(-thresholds, -scores)  # (n,)
        self._labels = labels
        self._firsts, self._lasts = events_of(labels)
        self._positives = int(labels.sum())
        self._flagged = self._below(np.ones(len(scores)), slice(None))
        self._hits = self._below(np.ones(len(scores)), labels)

    def areas(self, width: int) -> tuple[float, float]:
        """Under ROC and precision-recall, with edges of half of `width` rows."""
        soft = self._soft(width)
        edges = np.flatnonzero((soft > 0) & ~self._labels)
        added = self._below(soft, edges)
        true = self._hits + added
        positives = self._positives + added / 2  # the mean of labels before and after, as far as they count
        recall = np.minimum(true / positives, 1) * self._touched(width)
        false_share = (self._flagged - true) / (len(self._labels) - positives)
        curve_x, curve_y = np.concatenate([[0], false_share, [1]]), np.concatenate([[0], recall, [1]])
        roc = float(np.dot(np.diff(curve_x), (curve_y[1:] + curve_y[:-1]) / 2))
        return roc, float(np.dot(np.diff(recall, prepend=0), true / self._flagged))

    def _below(self, weights: Float64, rows: slice | Mask | Index) -> Float64:
        """The sum of weights over those of `rows` that are flagged, at each threshold."""
        return np.cumsum(np.bincount(self._level[rows], weights[rows], minlength=LEVELS))

    def _soft(self, width: int) -> Float64:
        """The labels (n,) with their edges; where two events' edges meet, they add up to at most 1."""
        soft = self._labels.astype(np.float64)
        length, half = len(soft), width // 2
        for first, last in zip(self._firsts, self._lasts, strict=True):
            for rows in (np.arange(last + 1, min(last + half + 1, length)), np.arange(max(first - half, 0), first)):
                away = np.maximum(rows - last, first - rows)
                soft[rows] += np.sqrt(1 - away / max(width, 1))
        return np.minimum(soft, 1)

    def _touched(self, width: int) -> Float64:
        """The share of events, those whose edges meet taken for one, that have a flag on them or on their edges."""
        half = width // 2
        apart = self._lasts[:-1] + half < self._firsts[1:] - half
        firsts = np.maximum(self._firsts[np.concatenate([[True], apart])] - half, 0)
        lasts = np.minimum(self._lasts[np.concatenate([apart, [True]])] + half, len(self._labels) - 1)
        lowest = [self._level[first : last + 1].min() for first, last in zip(firsts, lasts, strict=True)]
        return np.cumsum(np.bincount(lowest, minlength=LEVELS)) / len(lowest)


def _need_both(labels: Mask) -> None:
    if labels.all() or not labels.any():
        raise OneSided("all labels say the same; ranking needs rows of both kinds")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
