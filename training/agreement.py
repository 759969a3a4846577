"""How flags and scores of judged windows agree with what is known of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.evaluation import FlagRate, Labelled
from training.judging import Judged
from training.measures import Ranking, auc_pr, confusion, detection, rank

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


def flag_rate(promised: float, normal: Judged) -> FlagRate:
    """Of windows without a labelled anomaly."""
    windows, flagged = len(normal), int(normal.is_anomaly.sum())
    return FlagRate(promised, windows, flagged, flagged / windows if windows else None)


def agreement(
    judged: Judged, truth: Mask, tested: Mask, owners: Index, stride: int, networks: Sequence[str]
) -> Labelled:
    """The figures of windows with the label of their last row, whether they are of the test part, and whose they are.

    The last three are (window,) each. Before the test part only windows with an anomaly are known, and they would make
    anomalies look commoner than they are: where the test part has labels of both kinds, they count as events alone.
    """
    counted = tested if _both(truth[tested]) else np.ones_like(tested)
    mine = judged.where(counted)
    found = detection(judged.is_anomaly, truth, breaks_of(judged.row, owners, stride))
    rows = confusion(mine.is_anomaly, truth[counted])
    return Labelled(
        windows=len(mine),
        anomalous=int(truth[counted].sum()),
        windows_before=int((counted & ~tested).sum()),
        **_ranked(mine, truth[counted], breaks_of(mine.row, owners[counted], stride), networks),
        f1=rows.f1,
        far=rows.false_alarm_rate,
        mar=rows.missed_alarm_rate,
        events=found.events,
        events_found=len(found.delays),
        event_recall=found.recall if found.events else None,
        median_delay_rows=None if found.median_delay is None else found.median_delay * stride,
    )


def _ranked(judged: Judged, truth: Mask, breaks: Index, networks: Sequence[str]) -> dict[str, Any]:
    """The figures that need no threshold, by name."""
    if not _both(truth):
        return {**dict.fromkeys(Ranking.__dataclass_fields__), "auc_pr_by_network": dict.fromkeys(networks)}
    alone = [auc_pr(own, truth) for own in judged.model_scores.T]
    by_network = dict(zip(networks, alone, strict=True))
    return {**asdict(rank(judged.score, truth, breaks=breaks)), "auc_pr_by_network": by_network}


def _both(truth: Mask) -> bool:
    return bool(truth.any()) and not truth.all()


def breaks_of(rows: Index, owners: Index, stride: int) -> Index:
    """Where windows do not end a stride after the one before, by their last rows and the series that own them."""
    return np.flatnonzero((np.diff(rows) != stride) | (np.diff(owners) != 0)) + 1
