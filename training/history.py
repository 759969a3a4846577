"""How the networks' training went: `training_logs.json`, which grows with every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from training.artifacts import Artifacts, read_json, write_json


@dataclass(frozen=True)
class Epoch:
    """One pass over the train part; losses are mean squared errors in scaled, clipped units."""

    number: int  # from 1; 0 is before any training, of a network in which something is found in closed form
    train_loss: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class History:
    """A network's epochs so far."""

    epochs: tuple[Epoch, ...] = ()

    @property
    def best(self) -> Epoch:
        """The epoch whose weights are kept: the first with the lowest validation loss."""
        return min(self.epochs, key=lambda epoch: epoch.validation_loss)

    @property
    def done(self) -> int:
        """How many epochs of training there were."""
        return self.epochs[-1].number if self.epochs else 0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """As the logs hold it."""
        return {"best_epoch": self.best.number, "epochs": [asdict(epoch) for epoch in self.epochs]}

    @classmethod
    def from_dict(cls, log: Mapping[str, Any]) -> Self:
        """Read it back."""
        return cls(tuple(Epoch(**epoch) for epoch in log["epochs"]))


def save(artifacts: Artifacts, histories: Mapping[str, History]) -> None:
    """Write the epochs of every network, which has at least one."""
    write_json(artifacts.logs, {name: history.to_dict() for name, history in histories.items()})


def load(artifacts: Artifacts) -> dict[str, History]:
    """Every network that has an epoch, in the order in which they are trained; empty if there is none yet."""
    logs = read_json(artifacts.logs) if artifacts.logs.exists() else {}
    return {name: History.from_dict(log) for name, log in logs.items()}
