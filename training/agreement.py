"""How flags and scores of judged windows agree with what is known of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from schemas.evaluation import FlagRate, Labelled
from training.judging import Judged
from training.measures import Ranking, confusion, detection, rank

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNRANKED: dict[str, float | None] = dict.fromkeys(Ranking.__dataclass_fields__)


def flag_rate(promised: float, normal: Judged) -> FlagRate:
    """Of windows without a labelled anomaly."""
    windows, flagged = len(normal), int(normal.is_anomaly.sum())
    return FlagRate(promised, windows, flagged, flagged / windows if windows else None)


def agreement(judged: Judged, truth: Mask, breaks: Index, stride: int, networks: Sequence[str]) -> Labelled:
    """The figures of windows with the label (window,) of their last row; `breaks` as `training.measures` has them."""
    rankable = bool(truth.any()) and not truth.all()
    ranking = asdict(rank(judged.score, truth, breaks=breaks)) if rankable else UNRANKED
    members = zip(networks, judged.model_scores.T, strict=True)
    by_network = {name: float(average_precision_score(truth, own)) if rankable else None for name, own in members}
    rows, found = confusion(judged.is_anomaly, truth), detection(judged.is_anomaly, truth, breaks)
    return Labelled(
        windows=len(truth),
        anomalous=int(truth.sum()),
        **ranking,
        f1=rows.f1,
        far=rows.false_alarm_rate,
        mar=rows.missed_alarm_rate,
        events=found.events,
        events_found=len(found.delays),
        event_recall=found.recall if found.events else None,
        median_delay_rows=None if found.median_delay is None else found.median_delay * stride,
        auc_pr_by_network=by_network,
    )


def breaks_of(rows: Index, owners: Index, stride: int) -> Index:
    """Where windows do not end a stride after the one before, by their last rows and the series that own them."""
    return np.flatnonzero((np.diff(rows) != stride) | (np.diff(owners) != 0)) + 1
