"""Rows in, scores out: by the code of the worker, and counted as the worker counts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Lock

from models.detector import Detector
from monitoring.admin_metrics import AdminMetrics
from schemas.admin import Columns
from schemas.admin_predict import Ask, Predict
from schemas.errors import TidewatchError
from stream_app.admin import rows, turns
from stream_app.admin.datasets import Datasets
from stream_app.admin.detectors import Detectors
from stream_app.admin.prediction import Prediction
from stream_app.admin.room import Room
from stream_app.admin.scoring import Outcome
from stream_app.drift_watch import DriftWatch


class Predictor:
    """Scores rows for who may read the dataset."""

    def __init__(
        self,
        datasets: Datasets,
        detectors: Detectors,
        metrics: AdminMetrics,
        drift: DriftWatch,
        room: Room,
        megabytes: int,
    ) -> None:
        """A body has at most so many `megabytes`."""
        self.room, self.megabytes = room, megabytes
        self._datasets, self._detectors = datasets, detectors
        self._metrics, self._drift = metrics, drift
        self._counting = Lock()

    def of_json(self, owner: str, body: bytearray) -> Prediction:
        """What a JSON body asks for. Raises pydantic's ValidationError too."""
        asked = Predict.model_validate_json(body, strict=True)
        detector = self._find(owner, asked)
        table, timed = rows.of_json(asked, detector), asked.timestamps is not None
        words = Ask.model_validate(asked.model_dump(include=set(Ask.model_fields)))  # the rows are in the table
        return Prediction(words, detector, table, timed)

    def of_file(self, owner: str, body: bytearray, asked: Ask, columns: Columns) -> Prediction:
        """What is asked of a file's bytes."""
        detector = self._find(owner, asked)
        table = rows.of_file(body, columns, asked.series_id, detector, self.megabytes)
        return Prediction(asked, detector, table, table.time_column is not None)

    def play(self, turn: Sequence[Prediction]) -> list[Outcome]:
        """Score a turn, count it, and say what each of its predictions has come to."""
        played = turns.play(turn, int(time.time() * 1e6))
        self._count(turn[0].detector, played)
        return [_outcome(one) for one in turn]

    def answered(self, seconds: float) -> None:
        """A prediction was answered, so long after it had come."""
        self._metrics.observe_prediction(seconds)

    def exposition(self) -> bytes:
        """The text of /metrics: what a worker's says of readings, releases and drift, and how predictions fare."""
        with self._counting:
            drift = self._drift.exposition()
        return (
            self._metrics.exposition(self._detectors.releases.in_service, self.room.predictions, self.room.bytes)
            + drift
        )

    def _find(self, owner: str, asked: Ask) -> Detector:
        self._datasets.check_readable(owner, asked.dataset)
        return self._detectors.find(asked.dataset, asked.release)

    def _count(self, detector: Detector, played: turns.Played) -> None:
        with self._counting:
            self._metrics.observe_dataset(detector.dataset, played.record)
            if self._detectors.releases.in_service.get(detector.dataset) == detector.release:
                self._drift.confirmed([(detector, played.sample)])
                self._drift.take_in()


def _outcome(prediction: Prediction) -> Outcome:
    if not prediction.is_done:
        return None
    try:
        return prediction.answer()
    except TidewatchError as error:
        return error
