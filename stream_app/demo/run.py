"""What every demo is made of: Kafka, a training, a worker, a stream; and what it leaves behind, which is files only."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec
from rich.console import Console

from models.store import open_store
from schemas.errors import TidewatchError
from schemas.manifest import Manifest
from stream_app.connection import LOCAL, client_options
from stream_app.demo.board import Board
from stream_app.demo.feed import Feed
from stream_app.demo.processes import Background, Commands
from stream_app.demo.scene import Scene
from stream_app.demo.screen import screen
from stream_app.demo.stream import follow, wait_until_ready
from stream_app.demo.summary import Pace
from stream_app.local_kafka.record import DEFAULT_DIRECTORY, is_alive
from stream_app.routes import state_topic
from stream_app.topics import admin

if TYPE_CHECKING:
    from config.settings import Settings

ENVIRONMENT = "env"  # the file with the variables of this run
SLOWEST, FASTEST = 100, 5000  # readings a second


class Run:
    """One run of a demo, as a context manager: every command is said before it runs, and ended whatever happens."""

    def __init__(
        self, console: Console, folder: Path, settings: Settings, variables: Mapping[str, str], keep: bool
    ) -> None:
        """`variables` are what this run's commands find in their environment, by which `settings` were read too.

        With `keep`, what still runs at a good end goes on.
        """
        self.console, self.folder, self.settings, self.variables, self.keep = console, folder, settings, variables, keep
        self._afterwards = ExitStack()
        self.commands = Commands(console, variables, self._afterwards)
        self.address = f"http://127.0.0.1:{settings.web.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all that was started, last first; Ctrl-C no longer interrupts."""
        if self.keep and error is None:
            self._afterwards.pop_all()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.console.print()
            self._afterwards.close()
        finally:
            signal.signal(signal.SIGINT, before)

    def step(self, title: str) -> None:
        """A headline."""
        self.console.print(f"\n[bold]{title}[/]")

    def kafka(self) -> None:
        """The local Kafka, unless there is another, or it runs already."""
        self.step("Kafka")
        if not self.is_local:
            self.console.print(f"yours, at {self.settings.kafka.bootstrap_servers}", markup=False)
            return
        ours = not is_alive(DEFAULT_DIRECTORY)
        if ours:
            self._afterwards.callback(self.commands.run, "kafka", "stop")
        self.commands.run("kafka", "start")

    def train(self, history: Path, dataset: str) -> None:
        """Three small networks on the history."""
        self.step("Training")
        self.commands.run("train", "--data", str(history), "--dataset", dataset, "--config", "quick")

    def worker(self) -> Background:
        """A worker with topics and a group of its own, up to where it is ready."""
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

    def produce(self, live: Path, dataset: str, readings: int, seconds: float) -> Background:
        """Send so many readings of a file in about so many seconds."""
        rate = min(max(round(readings / seconds), SLOWEST), FASTEST)
        words = ("--data", str(live), "--dataset", dataset, "--rate", str(rate))
        return self.commands.start(self.folder / "produce.log", "produce", *words)

    def judged(self, scene: Scene, worker: Background, seconds: float) -> tuple[Board, Pace]:
        """Send the live part in about so many seconds, and watch until all of it was judged."""
        board = Board(scene, self.window(scene))
        producer = self.produce(scene.live, scene.dataset, scene.readings, seconds)
        self.console.print()
        return board, asyncio.run(self._watch(board, worker, producer))

    async def _watch(self, board: Board, worker: Background, producer: Background) -> Pace:
        """Show what is on the topics until there is no more."""
        kafka = self.settings.kafka
        topics = kafka.readings_topics[0], kafka.anomalies_topic
        async with Feed(client_options(kafka), *topics, board) as feed:
            with screen(self.console) as show:
                await follow(feed, board, worker, producer, show)
            return feed.pace()

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


async def delete(options: Mapping[str, object], topics: list[str]) -> None:
    """Delete those of the topics that exist."""
    async with admin(options) as client:
        existing = set(await client.list_topics())
        if doomed := [topic for topic in topics if topic in existing]:
            await client.delete_topics(doomed)
