"""Rows in, scores out: by the code of the worker, a thousand rows at a turn, and counted as the worker counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import msgspec
import numpy as np

from models.detector import Detector
from models.flags import timestamps
from models.stream import Observed, StreamDetector
from monitoring.admin_metrics import AdminMetrics
from monitoring.metrics import DatasetRecord
from schemas.admin import Ask, Columns, Predict
from schemas.drift import Sample
from stream_app import tally
from stream_app.admin import rows
from stream_app.admin.datasets import Datasets
from stream_app.admin.detectors import Detectors
from stream_app.admin.failures import Unusable
from stream_app.drift_watch import DriftWatch
from training.scan import batches
from training.table import Table

MOST_FLAGS = 1000  # that are attributed in one answer


@dataclass
class Answer:
    """What becomes the answer's columns, chunk by chunk."""

    anomalies: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    series: list[str] = field(default_factory=list)
    flags: list[msgspec.Raw] = field(default_factory=list)


class Predictor:
    """Scores rows for who may read the dataset."""

    def __init__(
        self, datasets: Datasets, detectors: Detectors, metrics: AdminMetrics, drift: DriftWatch, megabytes: int
    ) -> None:
        self.megabytes = megabytes
        self._datasets, self._detectors = datasets, detectors
        self._metrics, self._drift = metrics, drift
        self._counting = Lock()

    def of_json(self, owner: str, body: bytes) -> Iterator[bytes]:
        """The answer to a JSON body, as `_answer` gives it. Raises pydantic's ValidationError too."""
        asked = Predict.model_validate_json(body, strict=True)
        detector = self._find(owner, asked)
        table = rows.of_json(asked, detector)
        return self._answer(asked, detector, table, asked.timestamps is not None)

    def of_file(self, owner: str, body: bytes, asked: Ask, columns: Columns) -> Iterator[bytes]:
        """The answer to a file's bytes, as `_answer` gives it."""
        detector = self._find(owner, asked)
        table = rows.of_file(body, columns, asked.series_id, detector, self.megabytes)
        return self._answer(asked, detector, table, table.time_column is not None)

    def exposition(self) -> bytes:
        """The text of /metrics: what a worker's says of readings, releases and drift, and how predictions fare."""
        with self._counting:
            drift = self._drift.exposition()
        return self._metrics.exposition(self._detectors.releases.in_service) + drift

    def answered(self, seconds: float) -> None:
        """A prediction was answered, so long after it had come."""
        self._metrics.observe_prediction(seconds)

    def _find(self, owner: str, asked: Ask) -> Detector:
        self._datasets.check_readable(owner, asked.dataset)
        return self._detectors.find(asked.dataset, asked.release)

    def _answer(self, asked: Ask, detector: Detector, table: Table, timed: bool) -> Iterator[bytes]:
        """Nothing between two chunks, where others may have their turn, and the answer as JSON in the end."""
        rows.check_length(table, detector)
        stream, answer = StreamDetector(detector), Answer()
        owners = np.repeat(np.arange(len(table.series)), [len(one.times) for one in table.series])
        first = np.cumsum([0, *(len(one.times) for one in table.series)])
        for turn, (numbers, batch) in enumerate(batches(table, detector.features)):
            if turn:
                yield b""
            now = np.full(len(numbers), int(time.time() * 1e6))
            cut = stream.cut(replace(batch, seen=now))
            observed = stream.judge(cut, detector.score(cut.windows))
            self._count(detector, tally.counts(observed), tally.sample(cut, observed))
            of = owners[numbers[observed.rows]]
            answer.rows += (numbers[observed.rows] - first[of]).tolist()
            answer.series += [batch.series[row] for row in observed.rows.tolist()]
            _take(answer, stream, observed, asked, timed)
        if not answer.rows:
            raise Unusable(
                f"no window of {detector.window} rows is without a pause of more than {detector.gap_us / 1e6:g} s; "
                f"send {detector.window} rows that follow each other"
            )
        yield msgspec.json.encode(_content(answer, detector, asked, timed))

    def _count(self, detector: Detector, record: DatasetRecord, sample: Sample) -> None:
        with self._counting:
            self._metrics.observe_dataset(detector.dataset, record)
            if self._detectors.releases.in_service.get(detector.dataset) == detector.release:
                self._drift.confirmed([(detector, sample)])
                self._drift.take_in()


def _take(answer: Answer, stream: StreamDetector, observed: Observed, asked: Ask, timed: bool) -> None:
    """Put a chunk's windows into the answer's columns."""
    if asked.threshold is not None:
        limits = np.full(len(observed.scores), asked.threshold)
        observed = replace(observed, thresholds=limits, is_anomaly=observed.scores > limits)
    answer.anomalies += observed.is_anomaly.astype(int).tolist()
    answer.scores += observed.scores.tolist()
    if timed:
        answer.times += timestamps(observed.ends)
    if asked.attribution and len(answer.flags) < MOST_FLAGS:
        flags = stream.flags(observed, everything=False)
        answer.flags += [msgspec.Raw(value) for value in flags.values[: MOST_FLAGS - len(answer.flags)]]


def _content(answer: Answer, detector: Detector, asked: Ask, timed: bool) -> dict[str, Any]:
    return {
        "anomalies": answer.anomalies,
        "scores": answer.scores,
        "timestamps": answer.times if timed else None,
        "rows": answer.rows,
        "dataset": detector.dataset,
        "release": detector.release,
        "threshold": 1.0 if asked.threshold is None else asked.threshold,
        "series": answer.series if len(set(answer.series)) > 1 else None,
        "flags": answer.flags if asked.attribution else None,
    }
