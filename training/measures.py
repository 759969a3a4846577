"""How well scores and flags agree with labels: the measures of the literature, none of them point-adjusted.

Everywhere `scores` (n,) are higher where a row looks more like an anomaly, and `labels` (n,) say which rows are part of
one. An event is an unbroken run of labelled rows. Rows may be of several stretches, one after the other: `breaks` are
the rows, beside the first, at which another stretch begins. Nothing reaches over a break.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

LEVELS = 250  # thresholds at which volumes under the surface are taken
BUFFER = 100  # rows; the widest soft edge of an event
WHOLE: Index = np.empty(0, np.int64)  # no breaks


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


def rank(scores: Float64, labels: Mask, buffer: int = BUFFER, breaks: Index = WHOLE) -> Ranking:
    """All measures that need no threshold; raises OneSided where they are not defined."""
    from sklearn.metrics import precision_recall_curve, roc_auc_score  # a second to import, and only labels need it

    _need_both(labels)
    volume_roc, volume_pr = vus(scores, labels, buffer, breaks)
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return Ranking(
        vus_pr=volume_pr,
        vus_roc=volume_roc,
        auc_pr=auc_pr(scores, labels),
        auc_roc=float(roc_auc_score(labels, scores)),
        best_f1=float(f1.max()),
    )


def auc_pr(scores: Float64, labels: Mask) -> float:
    """The average precision over all thresholds."""
    from sklearn.metrics import average_precision_score  # see `rank`

    return float(average_precision_score(labels, scores))


def confusion(flags: Mask, labels: Mask) -> Confusion:
    """Count rows by flag (n,) and label (n,)."""
    cells = np.bincount(2 * labels.astype(np.int64) + flags, minlength=4).tolist()
    return Confusion(cells[3], cells[1], cells[2], cells[0])


def detection(flags: Mask, labels: Mask, breaks: Index = WHOLE) -> Detection:
    """Find each event's first flag (n,)."""
    flagged = np.flatnonzero(flags)
    firsts, lasts = events_of(labels, breaks)
    places = np.searchsorted(flagged, firsts)
    hits = np.append(flagged, len(labels))[places]
    return Detection(len(firsts), tuple((hits - firsts)[hits <= lasts].tolist()))


def events_of(labels: Mask, breaks: Index = WHOLE) -> tuple[Index, Index]:
    """First and last row of each event, (event,) each."""
    cut = np.zeros(len(labels) + 1, bool)
    cut[breaks] = cut[0] = cut[-1] = True
    before, after = np.append(False, labels), np.append(labels, False)
    return np.flatnonzero(after & (cut | ~before)), np.flatnonzero(before & (cut | ~after)) - 1


def vus(scores: Float64, labels: Mask, buffer: int = BUFFER, breaks: Index = WHOLE) -> tuple[float, float]:
    """The volumes under the ROC and under the precision-recall surface, both by labels with soft edges.

    For each width from 0 to `buffer` rows, half of it is added at either side of every event with weights that fall to
    0; recall is multiplied by the share of events that are touched; areas are then averaged over widths.
    Source: Paparrizos et al., Volume Under the Surface, PVLDB 15 (2022), as its authors compute it since 2024 ("opt"):
    what is added counts only where it is flagged, and precision is taken at the right end of each step of recall.
    """
    _need_both(labels)
    surface = _Surface(scores, labels, breaks, buffer // 2)
    areas = np.array([surface.areas(width) for width in range(buffer + 1)])
    roc, pr = areas.mean(axis=0).tolist()
    return roc, pr


class _Surface:
    """The curves for labels with edges of any width, at `LEVELS` thresholds from the highest score down.

    A row's level is the number of the first threshold that flags it, so counts of flagged rows are cumulative sums.
    Only rows near events are looked at again for each width.
    """

    def __init__(self, scores: Float64, labels: Mask, breaks: Index, reach: int) -> None:
        falling = -np.sort(-scores)
        thresholds = falling[np.linspace(0, len(scores) - 1, LEVELS).astype(int)]
        level = np.searchsorted(-thresholds, -scores)  # (n,)
        self._rows, self._positives = len(labels), int(labels.sum())
        self._flagged, self._hits = _below(level), _below(level[labels])
        self._edges = _Edges(labels, breaks, reach)
        self._edge_level = level[self._edges.rows]
        self._lowest = self._edges.lowest(level)  # (reach + 1, event)

    def areas(self, width: int) -> tuple[float, float]:
        """Under ROC and precision-recall, with edges of half of `width` rows."""
        added = _below(self._edge_level, self._edges.weights(width))
        true = self._hits + added
        positives = self._positives + added / 2  # the mean of labels before and after, as far as they count
        recall = np.minimum(true / positives, 1) * self._touched(width // 2)
        false_share = (self._flagged - true) / (self._rows - positives)
        curve_x, curve_y = np.concatenate([[0], false_share, [1]]), np.concatenate([[0], recall, [1]])
        roc = float(np.dot(np.diff(curve_x), (curve_y[1:] + curve_y[:-1]) / 2))
        return roc, float(np.dot(np.diff(recall, prepend=0), true / self._flagged))

    def _touched(self, half: int) -> Float64:
        """The share of events, those whose edges meet taken for one, that have a flag on them or on their edges."""
        together = np.minimum.reduceat(self._lowest[half], self._edges.apart(half))
        return _below(together) / len(together)


def _below(level: Index, weights: Float64 | None = None) -> Float64:
    """How many of these rows are flagged, or the sum of their weights, at each threshold."""
    return np.cumsum(np.bincount(level, weights, minlength=LEVELS)).astype(np.float64)


class _Edges:
    """The rows within `reach` of events that are not labelled themselves; no edge leaves its event's stretch."""

    def __init__(self, labels: Mask, breaks: Index, reach: int) -> None:
        bounds = np.concatenate([[0], breaks, [len(labels)]])
        self._firsts, self._lasts = events_of(labels, breaks)
        stretch = np.searchsorted(bounds, self._firsts, side="right")
        self._floor, self._ceiling = bounds[stretch - 1], bounds[stretch] - 1
        self._reach = reach
        away = np.arange(1, reach + 1)[:, None]
        places = np.concatenate([self._firsts - away, self._lasts + away], axis=1)  # (reach, 2 x event)
        inside = (places >= np.tile(self._floor, 2)) & (places <= np.tile(self._ceiling, 2))
        inside[inside] = ~labels[places[inside]]
        self.rows, self._place = np.unique(places[inside], return_inverse=True)  # one place an edge that a row is in
        self._away = np.nonzero(inside)[0] + 1  # rows from the event, ascending

    def weights(self, width: int) -> Float64:
        """The label of each of `rows`; where two events' edges meet, they add up to at most 1."""
        near = np.searchsorted(self._away, width // 2, side="right")
        falling = np.sqrt(1 - self._away[:near] / max(width, 1))
        return np.minimum(np.bincount(self._place[:near], falling, minlength=len(self.rows)), 1)

    def lowest(self, level: Index) -> Index:
        """The lowest level on each event and its edges, (reach + 1, event), for every number of rows at either side."""
        ends = np.stack([self._firsts, self._lasts + 1], axis=1).ravel()
        lowest = [np.minimum.reduceat(np.append(level, LEVELS), ends)[::2]]
        for half in range(1, self._reach + 1):
            before, after = self._reaching(half)
            lowest.append(np.minimum(lowest[-1], np.minimum(level[before], level[after])))
        return np.stack(lowest)

    def apart(self, half: int) -> Index:
        """The events whose edge of `half` rows does not meet that of the event before."""
        before, after = self._reaching(half)
        return np.flatnonzero(np.append(True, after[:-1] < before[1:]))

    def _reaching(self, half: int) -> tuple[Index, Index]:
        """The first and last row of each event with its edges."""
        return np.maximum(self._firsts - half, self._floor), np.minimum(self._lasts + half, self._ceiling)


def _need_both(labels: Mask) -> None:
    if labels.all() or not labels.any():
        raise OneSided("all labels say the same; ranking needs rows of both kinds")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
