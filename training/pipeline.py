"""The five stages in their order, each on what the one before left in the run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from models.detector import Detector
from models.store.base import Store
from schemas.evaluation import Evaluation
from schemas.manifest import Champion
from schemas.training import TrainingConfig
from training import candidate, evaluate, ingest, package, preprocess, train
from training.artifacts import Artifacts
from training.candidate import Identity
from training.ingest import Table, Wanted
from training.preprocess import Prepared
from training.train import Fitted, Watch


@dataclass(frozen=True)
class Request:
    """What to train on, how, and as what."""

    data: Path
    wanted: Wanted
    config: TrainingConfig
    identity: Identity
    promote: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of it; `champion` is None if the release was not put into service."""

    fitted: tuple[Fitted, ...]
    detector: Detector
    evaluation: Evaluation
    champion: Champion | None


class Observer(Watch, Protocol):
    """Told what happens, as it happens."""

    def ingested(self, table: Table) -> None:
        """The files are read."""

    def preprocessed(self, prepared: Prepared, config: TrainingConfig) -> None:
        """The windows are cut."""

    def evaluating(self) -> None:
        """The networks are trained, and are now put to the test."""


def run(request: Request, artifacts: Artifacts, store: Store, observer: Observer) -> Outcome:
    """From files to a release."""
    with threads(request.config.training.threads):
        return _run(request, artifacts, store, observer)


def _run(request: Request, artifacts: Artifacts, store: Store, observer: Observer) -> Outcome:
    observer.ingested(ingest.run(artifacts, request.data, request.wanted))
    observer.preprocessed(preprocess.run(artifacts, request.config), request.config)
    fitted = train.run(artifacts, request.config, observer)
    observer.evaluating()
    networks = {one.name: one.network for one in fitted}
    detector = candidate.run(artifacts, request.config, request.identity, networks)
    evaluation = evaluate.run(artifacts, request.config)
    champion = package.run(artifacts, store, promote=request.promote)
    return Outcome(fitted, detector, evaluation, champion)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` threads within matrix products: with another count, sums round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
