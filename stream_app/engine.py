"""What a worker is made of, without Faust: topics, publisher, releases, scoring thread, assignment, and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from models.store.base import Store
from models.stream import StreamDetector
from monitoring.metrics import PartitionStatus, WorkerMetrics, WorkerStatus, new_registry
from schemas.errors import TidewatchError
from stream_app.assignment import Assignment, Limits
from stream_app.drift_watch import DriftWatch
from stream_app.lane import Equipment, Lane, Scorer
from stream_app.memory import SeriesCap
from stream_app.partition import PartitionState, Rules
from stream_app.provision import provide
from stream_app.publisher import Publisher
from stream_app.reload import Releases
from stream_app.routes import Routes
from stream_app.state_log import KafkaStateLog

if TYPE_CHECKING:
    from config.settings import Settings

log = logging.getLogger(__name__)


class Engine:
    """A worker's parts, and the one way in which any of them stops it."""

    def __init__(self, settings: Settings, options: Mapping[str, Any], store: Store) -> None:
        """`options` are those of every aiokafka client."""
        self.settings = settings
        self.options = options
        self.failure: BaseException | None = None
        self.metrics = WorkerMetrics(new_registry())
        self.releases = Releases(store, settings.worker.detectors_cap, self.metrics)
        self.drift = DriftWatch(settings.drift, settings.worker.detectors_cap, self.releases, self.metrics)
        self._assignment: Assignment | None = None
        self._publisher: Publisher | None = None
        self._scorer = Scorer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: Mapping[TopicPartition, int] = {}  # of the logs, as far as the brokers say

    @property
    def assignment(self) -> Assignment:
        """The partitions; there is one from `start` on."""
        if self._assignment is None:
            raise RuntimeError("the engine is not started")
        return self._assignment

    @property
    def ready(self) -> bool:
        """Partitions are assigned and their state is loaded."""
        return self._assignment is not None and self._assignment.ready

    # -- start and stop

    async def start(self) -> None:
        """Make missing topics, connect the publisher, and be ready to be given partitions."""
        routes = await provide(self.settings.kafka, self.options)
        self._publisher = Publisher(self.options, self.settings.kafka.send_timeout_seconds)
        await self._publisher.start()
        self._assignment = self._new_assignment(routes, self._publisher)
        self.spawn(self._assignment.play_forever())

    async def stop(self) -> None:
        """Disconnect; to be called when the consumer has left its group."""
        for task in self._tasks:
            task.cancel()
        if self._publisher is not None:
            await self._publisher.stop()
        self._scorer.stop()

    def _new_assignment(self, routes: Routes, publisher: Publisher) -> Assignment:
        settings = self.settings
        cap = SeriesCap(settings.worker.series_cap, self._streams, self.metrics.observe_evictions)
        equipment = Equipment(self._scorer, publisher, routes, self.metrics, self.drift, cap, self.spawn)
        limits = Limits(settings.kafka.chunk_records, settings.state.slabs, settings.state.recovery_timeout_seconds)
        return Assignment(equipment, KafkaStateLog(self.options, settings.kafka.group), self._new_state, limits)

    def _new_state(self, tp: TopicPartition) -> PartitionState:
        kafka, everything = self.settings.kafka, self.settings.publish == "all"
        rules = Rules(tp.topic, tp.partition, f"/{kafka.group}/{tp.topic}", everything, kafka.max_future_seconds)
        return PartitionState(self.releases, rules)

    def _streams(self) -> Iterator[StreamDetector]:
        for lane in list(self.assignment.partitions.values()):
            yield from lane.state.streams.values()

    # -- at work

    async def checkpoint(self) -> None:
        """Take checkpoints of the partitions for which it is time."""
        await self.assignment.checkpoint()

    async def look_for_releases(self) -> None:
        """Reload what was promoted, and say which datasets have no release."""
        await asyncio.to_thread(self.releases.look)
        self.releases.tell(monotonic())

    async def look_for_ends(self, locate: Callable[[], Awaitable[Mapping[TopicPartition, int]]]) -> None:
        """See where the logs of the partitions end; of an end that nobody tells, nothing is told."""
        try:
            self._ends = await locate() if self.ready else {}
        except (KafkaError, TimeoutError) as error:
            self._ends = {}
            log.debug("where the logs end is not known: %r", error)

    # -- failure

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in the background; if it fails, the worker stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.halt(error)

    def halt(self, reason: BaseException) -> None:
        """The worker can not go on: say why, once, and stop as on SIGTERM; `failure` makes the exit code non-zero."""
        if self.failure is None:
            self.failure = reason
            foreseen = isinstance(reason, TidewatchError)
            log.critical("the worker stops: %s", reason or type(reason).__name__, exc_info=None if foreseen else reason)
            os.kill(os.getpid(), signal.SIGTERM)

    # -- what it tells

    async def exposition(self) -> bytes:
        """The text of /metrics."""
        status, drift = await self._scorer.run(lambda: (self._status(), self.drift.exposition()))
        return self.metrics.exposition(status) + drift

    def _status(self) -> WorkerStatus:
        """In the scoring thread, where the series are."""
        streams = list(self._streams())
        lanes = list(self.assignment.partitions.values()) if self.ready else []
        return WorkerStatus(
            ready=self.ready,
            last_commit_age=self.assignment.commit_age,
            series=sum(stream.series_count for stream in streams),
            series_bytes=sum(stream.nbytes for stream in streams),
            releases=self.releases.in_service,
            partitions=tuple(self._partition(lane) for lane in lanes),
        )

    def _partition(self, lane: Lane) -> PartitionStatus:
        end = self._ends.get(lane.tp)
        lag = None if end is None else max(0, end - lane.committed)
        return PartitionStatus(lane.tp.topic, lane.tp.partition, lag, lane.in_flight)
