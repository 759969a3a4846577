"""What an end-to-end test works with: a trained detector, topics of its own, the real commands, the real worker."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from schemas.flag import Flag
from stream_app.file_readings import FileReadings
from stream_app.outgoing import Message
from stream_app.pace import send_paced
from stream_app.publisher import Publisher
from tests.kafka_fixture import KafkaAtHand
from tests.worker_process import WorkerProcess
from training.ingest import read

PARTITIONS = 4
COMMAND_SECONDS = 120
SEND_SECONDS = 60
QUICK = {  # so that takeovers, checkpoints and reloads take seconds
    "publish": "all",
    "kafka.session_timeout_seconds": 4,
    "kafka.heartbeat_seconds": 1,
    "state.checkpoint_seconds": 1,
    "store.poll_seconds": 0.3,
}
SMALL = (
    *("window.size=16", "training.epochs=1", "training.threads=1", "threshold.rate=0.05"),
    *("networks.lstm_ae.hidden=8", "networks.gru_ae.hidden=8", "networks.cnn_ae.hidden=8"),
)
_as_flag = msgspec.json.Decoder(Flag).decode


@dataclass(frozen=True)
class Trained:
    """A store with a detector trained on `history`, and what `tidewatch score --all` says of `data`."""

    dataset: str
    history: Path
    data: Path
    store: Path
    flags: tuple[Flag, ...]

    @property
    def messages(self) -> list[Message]:
        """The readings as `tidewatch produce` sends them."""
        return messages(self.data, self.dataset)


class Rig:
    """Topics and a consumer group of its own; workers run in `folder` and take releases from `store`."""

    def __init__(self, kafka: KafkaAtHand, folder: Path, store: Path, readings: str | None = None) -> None:
        """`readings` is a topic that another rig has too; without it, a new one."""
        self.kafka = kafka
        self.folder = folder
        self.store = store
        self.readings = readings or kafka.topic("readings", PARTITIONS)
        self.anomalies = kafka.unique("anomalies")
        self.dead_letters = kafka.unique("dlq")
        self.group = kafka.unique("group")

    def settings(self, **changes: Any) -> dict[str, Any]:
        """A worker's settings as dotted keys; in `changes`, two underscores stand for the dot."""
        return {
            **QUICK,
            "store.url": f"dir:{self.store}",
            "kafka.readings_topics": self.readings,
            "kafka.anomalies_topic": self.anomalies,
            "kafka.dead_letter_topic": self.dead_letters,
            "kafka.group": self.group,
            **{key.replace("__", "."): value for key, value in changes.items()},
        }

    def worker(self, name: str = "worker", /, **changes: Any) -> WorkerProcess:
        """A worker, not yet started; `name` is that of its log."""
        return WorkerProcess(self.folder, self.kafka.environment, self.settings(**changes), name)

    def produce(self, data: Path, dataset: str) -> None:
        """`tidewatch produce` to its end."""
        words = ["produce", "--data", str(data), "--dataset", dataset, "--topic", self.readings]
        tidewatch(*words, environment=self.kafka.environment)

    def send(self, messages: Iterable[Message], rate: float | None = None, topic: str | None = None) -> None:
        """What `tidewatch produce` does with the readings of a file, with any messages."""
        asyncio.run(self._send(topic or self.readings, messages, rate))

    @contextmanager
    def sending(self, messages: Iterable[Message], rate: float) -> Iterator[None]:
        """Send so many a second beside the block, which ends when all are sent."""
        with ThreadPoolExecutor(1) as thread:
            sent = thread.submit(self.send, messages, rate)
            yield
            sent.result()

    async def _send(self, topic: str, messages: Iterable[Message], rate: float | None) -> None:
        publisher = Publisher(self.kafka.options, SEND_SECONDS)
        await publisher.start()
        try:
            await send_paced(publisher, topic, messages, rate, lambda count: None)
        finally:
            await publisher.stop()

    def published(self, wanted: Iterable[Flag], seconds: float = 60) -> list[Flag]:
        """All flags that a worker, once it was ready, has put on the topic, as soon as each of `wanted` is among them.

        If that takes too long, what is there by then: the comparison says what is missing.
        """
        enough = having({flag.id for flag in wanted})
        try:
            return as_flags(self.kafka.read_until(self.anomalies, enough, seconds))
        except TimeoutError:
            return as_flags(self.kafka.read(self.anomalies))


def messages(data: Path, dataset: str) -> list[Message]:
    """A file's readings as `tidewatch produce` sends them."""
    return list(FileReadings(read(data), dataset))


def having(ids: Collection[str]) -> Callable[[Sequence[ConsumerRecord]], bool]:
    """Whether flags of all these ids are among records, of which there are more each time."""
    missing, seen = {window_id.encode() for window_id in ids}, 0

    def enough(records: Sequence[ConsumerRecord]) -> bool:
        nonlocal seen
        missing.difference_update(dict(record.headers)["ce_id"] for record in records[seen:])
        seen = len(records)
        return not missing

    return enough


def as_flags(records: Iterable[ConsumerRecord]) -> list[Flag]:
    """The flags in these records."""
    return [_as_flag(record.value) for record in records]


def train(dataset: str, history: Path, store: Path, *words: str) -> None:
    """`tidewatch train`, of a detector so small that it takes seconds."""
    changes = [word for change in SMALL for word in ("--set", change)]
    told = ["--data", str(history), "--dataset", dataset, "--config", "quick", *changes, *words]
    with TemporaryDirectory() as run:
        tidewatch("train", *told, "--run-dir", run, "--no-tracking", environment=at(store))


def scored(data: Path, dataset: str, store: Path, *options: str) -> tuple[Flag, ...]:
    """What `tidewatch score --all` says of a file."""
    lines = tidewatch("score", "--data", str(data), "--dataset", dataset, "--all", *options, environment=at(store))
    return tuple(map(_as_flag, lines.splitlines()))


def at(store: Path) -> dict[str, str]:
    """The environment that names a store."""
    return {"TIDEWATCH_STORE__URL": f"dir:{store}"}


def tidewatch(*words: str, environment: Mapping[str, str]) -> str:
    """Run a command and give what it printed; AssertionError if it fails."""
    told = subprocess.run(
        [sys.executable, "-m", "stream_app", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    assert told.returncode == 0, f"tidewatch {' '.join(words)} ended with {told.returncode}: {told.stderr[-2000:]}"
    return told.stdout
