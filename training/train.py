"""Teach each network to reconstruct normal windows; the epoch that validates best is the one that is kept."""

from __future__ import annotations

import io
from dataclasses import dataclass

import torch

from models.networks import build_member
from models.networks.autoencoder import Autoencoder
from schemas.training import TrainingConfig
from training import checkpoint, history
from training.artifacts import Artifacts, read_json, replace
from training.events import EpochDone, NetworkDone, NetworkStarted, Observer
from training.history import History
from training.learner import Learner
from training.loader import Windows, load
from training.split import FITTING


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network with the weights of its best epoch, in eval mode, and how it went."""

    name: str
    network: Autoencoder
    history: History


def run(artifacts: Artifacts, config: TrainingConfig, tell: Observer, belongs: str | None = None) -> tuple[Fitted, ...]:
    """Train every network of the config on what preprocessing left; leave weights and logs.

    With `belongs`, a digest of all that shapes the training, each epoch leaves a checkpoint too, and a network goes on
    from one that belongs to the same.
    """
    train, validation, fitted = (load(artifacts, part, config.window.size) for part in ("train", "validation", FITTING))
    histories: dict[str, History] = {}
    done = []
    for name in config.members:
        learner = Learner(name, fresh(name, train, config), config)
        if belongs is not None and (snapshot := checkpoint.load(artifacts.checkpoint(name), belongs)) is not None:
            learner.restore(snapshot)
        tell(NetworkStarted(name, learner.history))
        while not learner.is_done:
            epoch = learner.epoch(train, validation, tell, fitted)
            if belongs is not None:
                checkpoint.save(artifacts.checkpoint(name), belongs, learner.snapshot())
            history.save(artifacts, histories | {name: learner.history})
            tell(EpochDone(name, epoch))
        histories[name] = learner.history
        done.append(Fitted(name, learner.finished(), learner.history))
        tell(NetworkDone(name, learner.history))
    _leave(artifacts, done)
    return tuple(done)


def networks(artifacts: Artifacts, config: TrainingConfig) -> dict[str, Autoencoder]:
    """The trained networks that `run` left, in the order of the config."""
    features = len(read_json(artifacts.window)["features"])
    found = {}
    for name in config.members:
        found[name] = build_member(name, features, config)
        found[name].load_state_dict(torch.load(artifacts.training(f"{name}.pth"), weights_only=True))
    return found


def fresh(name: str, windows: Windows, config: TrainingConfig) -> Autoencoder:
    """A network that has learnt nothing; the seed alone decides its weights."""
    torch.manual_seed(config.training.seed)
    return build_member(name, windows.rows.shape[1], config)


def _leave(artifacts: Artifacts, fitted: list[Fitted]) -> None:
    """Weights, logs, and for information the network that reconstructs best; what learns nothing does not count."""
    for one in fitted:
        buffer = io.BytesIO()
        torch.save(one.network.state_dict(), buffer)
        replace(artifacts.training(f"{one.name}.pth"), buffer.getvalue())
    history.save(artifacts, {one.name: one.history for one in fitted})
    learnt = [one for one in fitted if one.network.learns] or fitted
    best = min(learnt, key=lambda one: one.history.best.validation_loss)
    artifacts.training("best_model_name.txt").write_text(best.name + "\n")
