"""How the networks learnt: the losses of each epoch, and which epoch was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.history import Epoch, History
from training.report.drawing import Line, Plot, Rule, Scale, spanning
from training.report.words import number


@dataclass(frozen=True, eq=False)
class Learning:
    """One network's training, drawn."""

    network: str
    history: History
    plot: Plot


def learnings(histories: Mapping[str, History]) -> list[Learning]:
    """All networks that were trained step by step, on the same scales."""
    histories = {name: history for name, history in histories.items() if history.done}
    losses = [_losses(history, name) for history in histories.values() for name in ("train_loss", "validation_loss")]
    low, high = spanning(losses)
    room = 0.06 * (high - low)
    first = min((history.epochs[0].number for history in histories.values()), default=1)
    longest = max((history.done for history in histories.values()), default=1)
    epochs, scale = Scale(first, max(longest, first + 1), whole=True), Scale(max(low - room, 0), high + room)
    return [Learning(name, history, _plot(name, history, epochs, scale)) for name, history in histories.items()]


def _plot(name: str, history: History, epochs: Scale, losses: Scale) -> Plot:
    first, best, last = history.epochs[0], history.best, history.epochs[-1]
    numbers = np.array([epoch.number for epoch in history.epochs], np.float64)
    return Plot(
        name=f"losses-{name}",
        sentence=(
            f"{name}: validation loss {number(first.validation_loss)} {_begin(first)}, "
            f"{number(best.validation_loss)} in epoch {best.number} of {last.number}, whose weights were kept."
        ),
        x=epochs,
        y=losses,
        x_title="epoch",
        y_title="loss",
        lines=(
            Line("training", "second", numbers, _losses(history, "train_loss")),
            Line("validation", "first", numbers, _losses(history, "validation_loss")),
        ),
        rules=(Rule(f"best: {best.number}", best.number),),
    )


def _begin(first: Epoch) -> str:
    return "after the first epoch" if first.number else "before the first epoch, with the linear path alone"


def _losses(history: History, name: str) -> NDArray[np.float64]:
    return np.array([getattr(epoch, name) for epoch in history.epochs], np.float64)
