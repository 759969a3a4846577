"""The demo from beginning to end: its six steps in order, and what it leaves behind, which is files only."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.markup import escape

from models.store import open_store
from schemas.errors import TidewatchError
from schemas.manifest import Manifest
from stream_app.connection import LOCAL, client_options
from stream_app.demo.board import Board
from stream_app.demo.closing import Kept, closing, picture, try_next
from stream_app.demo.feed import Feed
from stream_app.demo.plant import simulate
from stream_app.demo.processes import Background, Commands
from stream_app.demo.scene import Scene, from_file, from_plant
from stream_app.demo.screen import screen
from stream_app.demo.stream import follow, wait_until_ready
from stream_app.demo.summary import Pace
from stream_app.local_kafka.record import DEFAULT_DIRECTORY, is_alive
from stream_app.routes import state_topic
from stream_app.topics import admin

if TYPE_CHECKING:
    from config.settings import Settings

ENVIRONMENT = "env"  # the file with the variables of this run
STREAM_SECONDS = 40
SLOWEST, FASTEST = 100, 5000  # readings a second


class Demo:
    """One run: every command is said before it runs, and ended whatever happens."""

    def __init__(
        self, console: Console, folder: Path, settings: Settings, variables: Mapping[str, str], keep: bool
    ) -> None:
        """`variables` are what this run's commands find in their environment, by which `settings` were read too."""
        self.console, self.folder, self.settings, self.variables, self.keep = console, folder, settings, variables, keep
        self._afterwards = ExitStack()
        self.commands = Commands(console, variables, self._afterwards)
        self.address = f"http://127.0.0.1:{settings.web.port}"

    def play(self, data: Path | None, seed: int, drawing: Path | None) -> None:
        """All of it; the last page is drawn into `drawing` too."""
        try:
            scene = self.readings(data, seed)
            self.kafka()
            self.train(scene)
            worker = self.worker()
            board, pace = self.stream(scene, worker)
            self.end(board, pace, worker, drawing)
            if self.keep:
                self._afterwards.pop_all()
        finally:
            self.clean_up()

    def readings(self, data: Path | None, seed: int) -> Scene:
        """Step 1: something to train on, and something to stream."""
        self.step("Readings")
        if data is None:
            with self.console.status("simulating a plant"):
                scene = from_plant(simulate(seed), self.folder)
            what = (
                f"a simulated plant, the same for the same seed ({seed}): {len(scene.stretches)} pumps, 8 sensors each"
            )
        else:
            with self.console.status(f"reading {escape(str(data))}"):
                scene = from_file(data, self.folder)
            what = f"{data}: the first 60 % of {len(scene.stretches)} series to train on, the rest to stream"
        truth = f"{len(scene.faults)} fault{'s' * (len(scene.faults) != 1)} in them" if scene.labelled else "no labels"
        self.console.print(what, f"  {scene.history}  the past, to train on", sep="\n", soft_wrap=True, markup=False)
        live = f"  {scene.live}     {scene.readings:,} readings to stream, {truth}"
        self.console.print(live, soft_wrap=True, markup=False)
        return scene

    def kafka(self) -> None:
        """Step 2: the local Kafka, unless there is another, or it runs already."""
        self.step("Kafka")
        if not self.is_local:
            self.console.print(f"yours, at {self.settings.kafka.bootstrap_servers}", markup=False)
            return
        ours = not is_alive(DEFAULT_DIRECTORY)
        if ours:
            self._afterwards.callback(self.commands.run, "kafka", "stop")
        self.commands.run("kafka", "start")

    def train(self, scene: Scene) -> None:
        """Step 3: three small networks on the history."""
        self.step("Training")
        data = ("--data", str(scene.history), "--dataset", scene.dataset)
        self.commands.run("train", *data, "--config", "quick")

    def worker(self) -> Background:
        """Step 4: a worker with topics and a group of its own, up to where it is ready."""
        self.step("A worker")
        variables = self.folder / ENVIRONMENT
        lines = (f"export {name}={shlex.quote(value)}" for name, value in self.variables.items())
        variables.write_text("\n".join(lines) + "\n")
        self.console.print(
            f"[dim]$[/] [bold cyan]. {variables}[/]  [dim]# topics of this run alone; publish every window[/]"
        )
        self._afterwards.callback(self.delete_topics)
        worker = self.commands.start(self.folder / "worker.log", "worker")
        with self.console.status("the worker starts"):
            wait_until_ready(worker, self.address)
        self.console.print(f"ready; its metrics: {self.address}/metrics")
        return worker

    def stream(self, scene: Scene, worker: Background) -> tuple[Board, Pace]:
        """Step 5: send the live part, and watch."""
        self.step("The stream")
        rate = min(max(round(scene.readings / STREAM_SECONDS), SLOWEST), FASTEST)
        arguments = ("--data", str(scene.live), "--dataset", scene.dataset, "--rate", str(rate))
        board = Board(scene, self.window(scene))
        producer = self.commands.start(self.folder / "produce.log", "produce", *arguments)
        self.console.print()
        return board, asyncio.run(self.watch(board, worker, producer))

    async def watch(self, board: Board, worker: Background, producer: Background) -> Pace:
        """Show what is on the topics until there is no more."""
        kafka = self.settings.kafka
        topics = kafka.readings_topics[0], kafka.anomalies_topic
        async with Feed(client_options(kafka), *topics, board) as feed:
            with screen(self.console) as show:
                await follow(feed, board, worker, producer, show)
            return feed.pace()

    def end(self, board: Board, pace: Pace, worker: Background, drawing: Path | None) -> None:
        """Step 6: what it found, and what to try next."""
        self.step("What it found")
        self.console.print(closing(board, pace))
        self.step("What to try next")
        kept = Kept(self.address, worker.pid, self.folder / ENVIRONMENT) if self.keep else None
        self.console.print(try_next(board.scene, self.is_local, kept), soft_wrap=True)
        if drawing:
            picture(board, pace, drawing)

    @property
    def is_local(self) -> bool:
        """Whether Kafka is the one that `tidewatch kafka start` runs."""
        return self.settings.kafka.bootstrap_servers == LOCAL

    def window(self, scene: Scene) -> int:
        """The length of the trained detector's window in microseconds."""
        store = open_store(self.settings.store.url)
        champion = store.champion(scene.dataset)
        if champion is None:
            raise TidewatchError(
                f"dataset '{scene.dataset}' has no release in {self.settings.store.url} after training"
            )
        files = store.fetch(scene.dataset, champion.release)
        return msgspec.json.decode(files["manifest.json"], type=Manifest).window * scene.interval

    def delete_topics(self) -> None:
        """Remove the run's own topics; a broker that is gone has none."""
        kafka = self.settings.kafka
        own = [*kafka.readings_topics, kafka.anomalies_topic, kafka.dead_letter_topic]
        own += [state_topic(kafka.group, topic) for topic in kafka.readings_topics]
        with suppress(TidewatchError):
            asyncio.run(delete(client_options(kafka), own))

    def clean_up(self) -> None:
        """End all that was started, last first; Ctrl-C no longer interrupts."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.console.print()
            self._afterwards.close()
        finally:
            signal.signal(signal.SIGINT, before)

    def step(self, title: str) -> None:
        """A headline."""
        self.console.print(f"\n[bold]{title}[/]")


async def delete(options: Mapping[str, object], topics: list[str]) -> None:
    """Delete those of the topics that exist."""
    async with admin(options) as client:
        existing = set(await client.list_topics())
        if doomed := [topic for topic in topics if topic in existing]:
            await client.delete_topics(doomed)
