"""An assignment of partitions with everything around it: a publisher and a state log of our own, no Kafka."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

from aiokafka.structs import TopicPartition

from config.groups import DriftSettings
from monitoring.metrics import WorkerMetrics, new_registry, samples
from stream_app.assignment import Assignment, Limits, LogPosition, Opening
from stream_app.drift_watch import DriftWatch
from stream_app.lane import Equipment, Scorer
from stream_app.outgoing import Message
from stream_app.partition import PartitionState, Rules
from stream_app.publisher import TooLarge
from stream_app.record_batch import Records
from stream_app.recovery import Recovery
from stream_app.routes import Routes
from tests import fakes
from tests.sent import messages
from tests.stream_app.test_partition import Record, Shelf

TP = TopicPartition("readings", 0)
SIZES = {"readings": 2, "anomalies": 2, "letters": 2}


class Topics:
    """A publisher that keeps what it is given, and confirms when it may."""

    def __init__(self) -> None:
        self.sent: defaultdict[str, list[Message]] = defaultdict(list)
        self.confirms = asyncio.Event()
        self.confirms.set()
        self.stuck: set[int] = set()  # partitions of anomalies that confirm nothing
        self.most_bytes = 1 << 20

    async def send(self, topic: str, partition: int, records: Records) -> list[int]:
        if (records.sizes > self.most_bytes).any():
            raise TooLarge("too large")
        begin = len(self.sent[topic])
        self.sent[topic] += messages(records)
        await self.confirms.wait()
        while topic == "anomalies" and partition in self.stuck:  # noqa: ASYNC110 -- as in `until`
            await asyncio.sleep(0.001)
        return list(range(begin, begin + len(records)))


class StateLog:
    """The state topic as it is in `Topics`."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def recover(self, partitions: Sequence[TopicPartition], slabs: int) -> dict[TopicPartition, Recovery]:
        self.reached.set()
        await self.answers.wait()
        recovery = Recovery(slabs)
        for offset, message in enumerate(self._topics.sent["tidewatch-readings-state"]):
            recovery.add(offset, message.key, message.value)
        return dict.fromkeys(partitions, recovery)


class Rig:
    """An assignment with everything around it."""

    def __init__(self, recovery_timeout_seconds: float = 10) -> None:
        self.topics = Topics()
        self.state_log = StateLog(self.topics)
        self.committed: int | None = None
        self.earliest = self.end = 0
        self.tasks: list[asyncio.Task[None]] = []
        routes = Routes("tidewatch", "anomalies", "letters", SIZES)
        publisher: Any = self.topics
        self.scorer = Scorer()
        self.registry = new_registry()
        metrics, shelf = WorkerMetrics(self.registry), Shelf(fakes.detector())
        self.drift = DriftWatch(DriftSettings(min_readings=1, horizon_seconds=1e9), 4, shelf, metrics)
        equipment = Equipment(self.scorer, publisher, routes, metrics, self.drift, lambda: None, self.spawn)
        limits = Limits(chunk_records=10, slabs=4, recovery_timeout_seconds=recovery_timeout_seconds)
        rules = Rules("readings", 0, "/test", True, 300)
        self.assignment = Assignment(equipment, self.state_log, lambda tp: PartitionState(shelf, rules), limits)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task

    async def locate(self, tps: Sequence[TopicPartition]) -> Mapping[TopicPartition, LogPosition]:
        return dict.fromkeys(tps, LogPosition(self.earliest, self.end, self.committed))

    async def open(self, generation: int = 1, tps: Sequence[TopicPartition] = (TP,)) -> Opening:
        return (await self.assignment.open(tps, generation, self.locate))[TP]

    def let_in(self, records: Sequence[Record], generation: int = 1, tp: TopicPartition = TP) -> list[Any]:
        self.end = max(self.end, records[-1].offset + 1)
        return [self.assignment.work(tp, c) for c in self.assignment.admit(tp, records, generation).chunks]

    def work_on(self, records: Sequence[Record], generation: int = 1, tp: TopicPartition = TP) -> None:
        for work in self.let_in(records, generation, tp):
            self.assignment.take(work)

    async def block(self, begun: Event, go: Event) -> None:
        """Keep the scoring thread busy until it may go on."""

        def wait() -> None:
            begun.set()
            go.wait(10)

        await self.scorer.run(wait)

    def ended_by(self, kind: type[Exception]) -> bool:
        """Whether a task failed so; it is forgotten."""
        failed = [task for task in self.tasks if task.done() and isinstance(task.exception(), kind)]
        self.tasks = [task for task in self.tasks if task not in failed]
        return bool(failed)

    def counted(self, name: str) -> float:
        """A counter of the readings topic."""
        return self.registry.get_sample_value(f"tidewatch_{name}", {"topic": TP.topic}) or 0.0

    async def watched(self, name: str) -> float:
        """A metric of drift."""
        text = (await self.scorer.run(self.drift.exposition)).decode()
        return sum(value for metric, _, value in samples(text) if metric == name)

    @property
    def flagged(self) -> list[bytes | None]:
        """The ids of the flags that were sent."""
        return [dict(message.headers)["ce_id"] for message in self.topics.sent["anomalies"]]


@asynccontextmanager
async def rigged(**settings: float) -> AsyncIterator[Rig]:
    """A rig whose turns are played, and its end."""
    rig = Rig(**settings)
    rig.spawn(rig.assignment.play_forever())
    try:
        yield rig
        failed = [task for task in rig.tasks if task.done() and not task.cancelled() and task.exception()]
        assert not failed, failed
    finally:
        for task in rig.tasks:
            task.cancel()
        rig.scorer.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Poll, not for long."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- what is waited for has no event of its own
            await asyncio.sleep(0.001)
