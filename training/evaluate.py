"""What a candidate is worth, on windows that fitted nothing: run as the worker would run it, never looking ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from models.detector import Detector
from models.stream import StreamDetector
from schemas.training import TrainingConfig
from training import candidate
from training.artifacts import Artifacts, write_json
from training.scan import scan
from training.split import PARTS, labels_of, parts_of
from training.table import SeriesTable, Table, load

TEST = PARTS.index("test")


@dataclass(frozen=True)
class FlagRate:
    """Of windows of the test part without a labelled anomaly, how many were flagged, with a fresh threshold."""

    promised: float
    windows: int
    flagged: int

    @property
    def measured(self) -> float | None:
        """The share; None if there was no such window."""
        return self.flagged / self.windows if self.windows else None


@dataclass(frozen=True)
class Labelled:
    """How scores and flags agree with labels; a window is judged by the label of its last row.

    All readings are streamed from the first on; what counts are the windows of the test part, and those before it that
    hold a labelled anomaly, which were left out of fitting. F1 is without point adjustment.
    """

    windows: int
    anomalous: int
    auc_pr: float
    auc_pr_by_network: dict[str, float]
    best_f1: float
    events: int
    events_found: int  # with a flag on one of their rows, at the automatic threshold


@dataclass(frozen=True)
class Evaluation:
    """All of it; `labelled` is None without labels, or if all say the same."""

    flag_rate: FlagRate
    labelled: Labelled | None


@dataclass(frozen=True, eq=False)
class Judged:
    """Windows that a detector judged, (window,) each, in the order of their series, then of time."""

    row: NDArray[np.int64]  # of the window's last reading, counted over all series of the table
    score: NDArray[np.float64]
    threshold: NDArray[np.float64]
    is_anomaly: NDArray[np.bool_]
    model_scores: NDArray[np.float64]  # (window, member)

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> Judged:
        """Some of them."""
        return Judged(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def run(artifacts: Artifacts, config: TrainingConfig) -> Evaluation:
    """Judge the candidate that training left; leave metrics and the scores behind them."""
    table, detector = load(artifacts), candidate.load(artifacts)
    parts = [parts_of(labels_of(series), config.window.size, config.split) for series in table.series]
    tested = _test_part(table, parts)
    fresh = judge(detector, tested)
    rate = flag_rate(tested, fresh, config)
    pq.write_table(results(tested, fresh, detector), artifacts.results("test"))
    labelled = None
    if any(series.labels is not None for series in table.series):
        streamed = judge(detector, table)
        unseen = streamed.where(held_out(table, parts, streamed, config.window.size))
        labelled = agreement(table, unseen, detector)
        pq.write_table(results(table, unseen, detector), artifacts.results("labelled"))
    evaluation = Evaluation(rate, labelled)
    write_json(artifacts.metrics, as_json(evaluation))
    return evaluation


def as_json(evaluation: Evaluation) -> dict[str, object]:
    """What `metrics.json` holds."""
    rate, labelled = evaluation.flag_rate, evaluation.labelled
    return {
        "flag_rate": {**asdict(rate), "measured": rate.measured},
        "labelled": None if labelled is None else asdict(labelled),
    }


def judge(detector: Detector, table: Table) -> Judged:
    """Stream all readings through a fresh detector."""
    offsets = dict(zip([series.name for series in table.series], _offsets(table), strict=True))
    times = {series.name: series.times for series in table.series}
    found = []
    for observed in scan(StreamDetector(detector), table):
        names = [observed.batch.series[row] for row in observed.rows]
        ends = zip(names, observed.ends, strict=True)
        rows = np.array([offsets[name] + np.searchsorted(times[name], end) for name, end in ends], np.int64)
        found.append(Judged(rows, observed.scores, observed.thresholds, observed.is_anomaly, observed.model_scores))
    whole = Judged(*(np.concatenate([getattr(part, name) for part in found]) for name in Judged.__dataclass_fields__))
    return whole.where(np.argsort(whole.row))


def _offsets(table: Table) -> list[int]:
    """The number of each series' first row."""
    return [0, *np.cumsum([len(series.times) for series in table.series])[:-1].tolist()]


def _test_part(table: Table, parts: Sequence[NDArray[np.int8]]) -> Table:
    """Each series' test rows alone."""
    masks = [part == TEST for part in parts]
    return replace(table, series=tuple(_rows(series, mask) for series, mask in zip(table.series, masks, strict=True)))


def _rows(series: SeriesTable, mask: NDArray[np.bool_]) -> SeriesTable:
    labels = None if series.labels is None else series.labels[mask]
    return SeriesTable(series.name, series.times[mask], series.values[mask], labels)


def flag_rate(table: Table, judged: Judged, config: TrainingConfig) -> FlagRate:
    """How often windows without a labelled anomaly were flagged."""
    normal = judged.is_anomaly[~_stained(_labels(table), judged, config.window.size)]
    return FlagRate(config.threshold.rate, len(normal), int(normal.sum()))


def held_out(table: Table, parts: Sequence[NDArray[np.int8]], judged: Judged, size: int) -> NDArray[np.bool_]:
    """Which windows fitted nothing: those within the test part, and before it those with a labelled anomaly.

    Series without labels say nothing about how well labels are met.
    """
    lengths = [len(series.times) for series in table.series]
    labelled = np.repeat([series.labels is not None for series in table.series], lengths)[judged.row]
    tested = np.concatenate(parts)[judged.row - size + 1] == TEST
    held: NDArray[np.bool_] = labelled & (tested | _stained(_labels(table), judged, size))
    return held


def _labels(table: Table) -> NDArray[np.bool_]:
    return np.concatenate([labels_of(series) for series in table.series])


def _stained(labels: NDArray[np.bool_], judged: Judged, size: int) -> NDArray[np.bool_]:
    """Which windows hold a labelled anomaly."""
    sums = np.concatenate([[0], np.cumsum(labels)])
    stained: NDArray[np.bool_] = sums[judged.row + 1] > sums[judged.row + 1 - size]
    return stained


def agreement(table: Table, judged: Judged, detector: Detector) -> Labelled | None:
    """The usual figures; None if the labels of the judged windows are all the same."""
    truth = _labels(table)[judged.row]
    if truth.all() or not truth.any():
        return None
    precision, recall, _ = precision_recall_curve(truth, judged.score)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    events = _events(table)[judged.row]
    members = zip(detector.ensemble.names, judged.model_scores.T, strict=True)
    return Labelled(
        windows=len(truth),
        anomalous=int(truth.sum()),
        auc_pr=float(average_precision_score(truth, judged.score)),
        auc_pr_by_network={name: float(average_precision_score(truth, scores)) for name, scores in members},
        best_f1=float(f1.max()),
        events=len(np.unique(events[truth])),
        events_found=len(np.unique(events[truth & judged.is_anomaly])),
    )


def _events(table: Table) -> NDArray[np.int64]:
    """A number for each row, the same over an unbroken run of labelled rows of a series, and for no other such run."""
    begins = [np.diff(labels_of(series), prepend=False) & labels_of(series) for series in table.series]
    return np.cumsum(np.concatenate(begins))


def results(table: Table, judged: Judged, detector: Detector) -> pa.Table:
    """Each judged window, for people: when it ended, its score and threshold, and each network's own score."""
    names = np.repeat([series.name for series in table.series], [len(series.times) for series in table.series])
    times = np.concatenate([series.times for series in table.series])
    columns = {
        "series_id": pa.array(names[judged.row]),
        "timestamp": pa.array(times[judged.row], pa.timestamp("us", tz="UTC")),
        "score": judged.score,
        "threshold": judged.threshold,
        "is_anomaly": judged.is_anomaly,
        "label": _labels(table)[judged.row],
    }
    by_network = dict(zip(detector.ensemble.names, judged.model_scores.T, strict=True))
    return pa.table(columns | by_network)
