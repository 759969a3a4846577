"""A training run on the screen: what was understood, a bar for each network, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from schemas.training import TrainingConfig
from training.ingest import Table
from training.preprocess import Prepared
from training.times import rfc3339
from training.train import Epoch

MOST_FEATURES = 10
UNITS = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms"), (1, "us"))


class Board:
    """An observer of the pipeline that prints; a context manager, for the bars move by themselves."""

    def __init__(self, console: Console, config: TrainingConfig) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("  {task.description:8}"),
            BarColumn(bar_width=30),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("validation {task.fields[validation]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def ingested(self, table: Table) -> None:
        """Say what the files were taken for."""
        self._headline("Read", f"{len(table.files)} file{'s' * (len(table.files) > 1)}")
        for line in understood(table):
            self._line(line)
        self._notes(table.notes, "note", "dim")

    def preprocessed(self, prepared: Prepared, config: TrainingConfig) -> None:
        """Say how many windows each part has, and what to be wary of; then start the bars."""
        windows = prepared.split.windows
        self._headline("Cut", f"windows of {config.window.size} readings")
        self._line(", ".join(f"{part} {len(found):,}" for part, found in windows.items()))
        self._notes(prepared.notes, "note", "dim")
        self._notes(prepared.warnings, "warning", "yellow")
        self._headline("Train", f"{len(config.networks)} network{'s' * (len(config.networks) > 1)}")
        for name in config.networks:
            epochs = config.training.epochs
            self._tasks[name] = self.progress.add_task(name, False, epoch=0, epochs=epochs, loss="-", validation="-")
        self.progress.start()

    def batch(self, name: str, done: int, total: int, loss: float) -> None:
        """Move a network's bar."""
        task = self._tasks[name]
        if done == 1:
            self.progress.start_task(task)
        self.progress.update(task, completed=done, total=total, loss=f"{loss:.4f}")

    def epoch(self, name: str, epoch: Epoch) -> None:
        """Show an epoch's losses."""
        loss, validation = f"{epoch.train_loss:.4f}", f"{epoch.validation_loss:.4f}"
        self.progress.update(self._tasks[name], epoch=epoch.number, loss=loss, validation=validation)

    def finished(self, name: str) -> None:
        """Fill the bar, for training may have stopped early."""
        task = self._tasks[name]
        total = self.progress.tasks[task].total or 1
        self.progress.update(task, completed=total, total=total)

    def evaluating(self) -> None:
        """The bars stay where they are."""
        self.progress.stop()
        self._headline("Calibrate and evaluate", "on windows that trained nothing")

    def _headline(self, verb: str, rest: str) -> None:
        self.console.print(Text.assemble((verb, "bold cyan"), " ", rest))

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(f"  {text}", style), soft_wrap=True)

    def _notes(self, notes: Iterable[str], kind: str, style: str) -> None:
        for note in notes:
            self._line(f"{kind}: {note}", style)


def understood(table: Table) -> list[str]:
    """What the files were taken for, a line each."""
    first, last = min(int(s.times[0]) for s in table.series), max(int(s.times[-1]) for s in table.series)
    series = f"{len(table.series)} series" + (f" (column '{table.series_column}')" if table.series_column else "")
    names = ", ".join(table.features[:MOST_FEATURES]) + ", ..." * (len(table.features) > MOST_FEATURES)
    column = "no time column: " if table.time_column is None else f"column '{table.time_column}'"
    form = table.time_form if table.time_column is None or not table.time_form else f", {table.time_form}"
    lines = [
        f"{table.rows:,} readings of {series}, one each {spelled(table.interval_us)}",
        f"{rfc3339(first)} to {rfc3339(last)} ({column}{form})",
        f"{len(table.features)} feature{'s' * (len(table.features) > 1)}: {names}",
    ]
    missing = float(np.mean([np.isnan(s.values).mean() for s in table.series]))
    lines += [f"{missing:.2%} of the values are missing"] if missing else []
    if table.label_column:
        labelled = [series.labels for series in table.series if series.labels is not None]
        anomalous, rows = sum(int(labels.sum()) for labels in labelled), sum(map(len, labelled))
        lines.append(f"label: column '{table.label_column}', {anomalous:,} of {rows:,} readings are anomalies")
    return lines


def spelled(interval_us: int) -> str:
    """A time between readings for a person: `250 ms`."""
    size, unit = next((size, unit) for size, unit in UNITS if interval_us >= size)
    return f"{interval_us / size:g} {unit}"
