"""What a run tells while it goes on, as it happens: the screen and the tracking of experiments listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.evaluation import Evaluation
    from schemas.run import RunRecord
    from schemas.training import TrainingConfig
    from training.artifacts import Artifacts
    from training.history import Epoch, History
    from training.package import Publication
    from training.preprocess import Prepared
    from training.speed import Speed
    from training.table import Table


@dataclass(frozen=True, eq=False)
class RunStarted:
    """A run begins, or goes on: what it was asked for, and where it leaves its artifacts."""

    record: RunRecord
    artifacts: Artifacts


@dataclass(frozen=True)
class StageStarted:
    """A stage is run, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class StageSkipped:
    """Nothing that shapes the stage has changed, and what it left is there."""

    name: str


@dataclass(frozen=True)
class StageEnded:
    """A stage is done: its artifacts are all there."""

    name: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Ingested:
    """The files are read."""

    table: Table


@dataclass(frozen=True)
class WindowShrunk:
    """There are too few readings for windows of `before` rows: they are cut to `size` rows instead."""

    before: int
    size: int


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """The windows are cut."""

    prepared: Prepared
    config: TrainingConfig


@dataclass(frozen=True)
class SpeedChosen:
    """How many threads and windows at once the run uses."""

    speed: Speed


@dataclass(frozen=True)
class NetworkStarted:
    """A network is trained, from the epoch after those in `history`: none, unless it was interrupted."""

    name: str
    history: History


@dataclass(frozen=True)
class BatchDone:
    """`done` of at most `total` steps of a network are made; `loss` is the newest step's."""

    name: str
    done: int
    total: int
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch of a network is over, and kept."""

    name: str
    epoch: Epoch


@dataclass(frozen=True)
class NetworkDone:
    """A network is trained, perhaps before all its steps."""

    name: str
    history: History


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The candidate's figures are known."""

    evaluation: Evaluation


@dataclass(frozen=True)
class Published:
    """The release is in the store."""

    publication: Publication


Event = (
    RunStarted
    | StageStarted
    | StageSkipped
    | StageEnded
    | Ingested
    | WindowShrunk
    | Preprocessed
    | SpeedChosen
    | NetworkStarted
    | BatchDone
    | EpochDone
    | NetworkDone
    | Evaluated
    | Published
)
Observer = Callable[[Event], None]


def silent(event: Event) -> None:
    """Observe, and do nothing."""


def all_of(*observers: Observer) -> Observer:
    """One observer that tells several, in this order."""

    def tell(event: Event) -> None:
        for observer in observers:
            observer(event)

    return tell
