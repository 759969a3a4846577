"""A training run on the screen: what was understood, a bar for each network, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from schemas.printable import printable
from schemas.training import TrainingConfig
from training.events import (
    BatchDone,
    EpochDone,
    Event,
    Ingested,
    NetworkDone,
    NetworkStarted,
    Preprocessed,
    RunStarted,
    SpeedChosen,
    StageEnded,
    StageSkipped,
    StageStarted,
    WindowShrunk,
)
from training.health import examine
from training.history import Epoch, History
from training.ingest import Table
from training.preprocess import Prepared
from training.split import PARTS
from training.understood import facts_grid, features_grid
from training.wording import option


class Board:
    """An observer of the pipeline that prints; a context manager, for the bars move by themselves."""

    def __init__(self, console: Console, config: TrainingConfig) -> None:
        self.console, self.config = console, config
        self.progress = Progress(
            TextColumn("  {task.description:8}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[epoch]}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("validation {task.fields[validation]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        self._known: Collection[str] = ()  # the stages that were run before
        self._tasks: dict[str, TaskID] = {
            name: self.progress.add_task(name, False, epoch=self._place(name, 0), loss="-", validation="-")
            for name in config.members
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress.live.is_started:
            self.progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event, if there is something to see."""
        match event:
            case RunStarted():
                self._known = event.record.stages.keys()
            case StageStarted():
                self._begin(event)
            case StageSkipped():
                self._line(f"{event.name}: unchanged, not run again", "dim")
            case StageEnded(name="train"):
                self.progress.stop()
            case Ingested():
                self._ingested(event.table)
            case WindowShrunk():
                self._shrunk(event)
            case Preprocessed():
                self._preprocessed(event.prepared, event.config)
            case SpeedChosen():
                self._line(str(event.speed), "dim")
            case NetworkStarted():
                self._network(event.name, event.history)
            case BatchDone():
                self._move(event)
            case EpochDone():
                self._epoch(event.name, event.epoch)
            case NetworkDone():
                self._fill(event.name)

    def _begin(self, stage: StageStarted) -> None:
        """Say why a stage is run that was run before, and what the longer ones do."""
        if stage.name in self._known:
            self._line(f"{stage.name}: {stage.why}", "dim")
        match stage.name:
            case "train":
                self._headline("Train", f"{len(self.config.networks)} network{'s' * (len(self.config.networks) > 1)}")
                self.progress.start()
            case "calibrate" | "evaluate":
                self._headline(stage.name.capitalize(), "on windows that trained nothing")

    def warn(self, text: str) -> None:
        """Show what somebody else has to say, from whatever thread."""
        self._notes([text], "warning", "yellow")

    def _ingested(self, table: Table) -> None:
        """Say what the files were taken for."""
        self._headline("Read", f"{len(table.files)} file{'s' * (len(table.files) > 1)}")
        health = examine(table.series, table.features, table.interval_us)
        self.console.print(facts_grid(table, health))
        self.console.print()
        self.console.print(features_grid(health))
        self.console.print()
        self._notes(table.notes, "note", "dim")

    def _shrunk(self, window: WindowShrunk) -> None:
        """Say that the window is not that of the config, and how to insist."""
        text = f"windows of {window.size} readings, for there are too few for {window.before}"
        self._notes([f"{text}; to insist: {option('set', f'window.size={window.before}')}"], "note", "dim")

    def _preprocessed(self, prepared: Prepared, config: TrainingConfig) -> None:
        """Say how many windows each part has, and what to be wary of."""
        windows = prepared.split.windows
        self._headline("Cut", f"windows of {config.window.size} readings")
        self._line(", ".join(f"{part} {len(windows[part]):,}" for part in PARTS))
        self._notes(prepared.notes, "note", "dim")
        self._notes(prepared.warnings, "warning", "yellow")

    def _network(self, name: str, history: History) -> None:
        """Begin a network's bar where its training begins: after the epochs of an interrupted run."""
        task, done, epochs = self._tasks[name], history.done, self.config.training.epochs
        self.progress.reset(task, completed=done, total=epochs)
        if done:
            self._epoch(name, history.epochs[-1])
            self._line(f"{name}: {done} epochs are kept from before", "dim")

    def _move(self, at: BatchDone) -> None:
        """Move a network's bar."""
        self.progress.update(self._tasks[at.name], completed=at.done, total=at.total, loss=f"{at.loss:.4f}")

    def _epoch(self, name: str, epoch: Epoch) -> None:
        """Show an epoch's losses."""
        loss, validation = f"{epoch.train_loss:.4f}", f"{epoch.validation_loss:.4f}"
        place = self._place(name, epoch.number)
        self.progress.update(self._tasks[name], epoch=place, loss=loss, validation=validation)

    def _place(self, name: str, epoch: int) -> str:
        """How far a member is, of how many epochs; those found in one go have none."""
        return f"epoch {epoch}/{self.config.training.epochs}" if name in self.config.networks else "one go"

    def _fill(self, name: str) -> None:
        """Fill the bar, for training may have stopped early."""
        task = self._tasks[name]
        total = self.progress.tasks[task].total or 1
        self.progress.update(task, completed=total, total=total)

    def _headline(self, verb: str, rest: str) -> None:
        self.console.print(Text.assemble((verb, "bold cyan"), " ", rest))

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(f"  {printable(text)}", style), soft_wrap=True)

    def _notes(self, notes: Iterable[str], kind: str, style: str) -> None:
        for note in notes:
            self._line(f"{kind}: {note}", style)
