"""What a run tells, as lines of JSON in a file: for a program that watches it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from schemas.run import RunRecord
from schemas.training import TrainingConfig
from training.events import (
    BatchDone,
    EpochDone,
    Evaluated,
    Event,
    Ingested,
    NetworkStarted,
    Published,
    RunStarted,
    StageStarted,
    WindowShrunk,
)

BATCH_SECONDS = 0.5  # steps of training are told no more often than this


class Told:
    """An observer of the pipeline that writes; each line is whole as soon as it is there. A context manager."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._batch_at = -BATCH_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __call__(self, event: Event) -> None:
        """Write an event, if a program can do something with it; docs/runs.md lists them."""
        match event:
            case RunStarted():
                self._begin(event.record)
            case StageStarted():
                self._say("stage", stage=event.name)
            case Ingested():
                table = event.table
                self._say("ingested", rows=table.rows, series=len(table.series), notes=list(table.notes))
                self._say("rejected", rows=[{"line": line, "reason": why} for line, why in table.rejected])
            case WindowShrunk():
                self._say("window", size=event.size)
            case NetworkStarted():
                self._say("network", network=event.name)
            case BatchDone():
                self._batch(event)
            case EpochDone(name, epoch):
                losses = {"loss": epoch.train_loss, "validation_loss": epoch.validation_loss}
                self._say("epoch", network=name, epoch=epoch.number, **losses)
            case Evaluated():
                self._say("evaluated", **_figures(event))
            case Published():
                self._say(
                    "published", release=event.publication.release, promoted=event.publication.version is not None
                )

    def _begin(self, record: RunRecord) -> None:
        """What a watcher needs to say how far it is."""
        config = TrainingConfig.model_validate(record.config)
        epochs = {name: config.training.epochs if name in config.networks else 0 for name in config.members}
        self._say("run", release=record.identity.release, epochs=epochs)

    def _batch(self, event: BatchDone) -> None:
        if (now := time.monotonic()) - self._batch_at >= BATCH_SECONDS or event.done == event.total:
            self._batch_at = now
            self._say("batch", network=event.name, done=event.done, total=event.total, loss=event.loss)

    def _say(self, kind: str, **content: Any) -> None:
        self._file.write(json.dumps({"event": kind, "at": round(time.time(), 3), **content}) + "\n")
        self._file.flush()


def _figures(event: Evaluated) -> dict[str, Any]:
    rate, labelled = event.evaluation.flag_rate, event.evaluation.labelled
    return {
        "windows": rate.windows,
        "flagged": rate.flagged,
        "promised_rate": rate.promised,
        "labelled": None if labelled is None else {"vus_pr": labelled.vus_pr, "f1": labelled.f1},
    }
