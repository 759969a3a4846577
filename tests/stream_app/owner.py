"""A worker process of the simulation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream_app.checkpoint import Checkpointer
from stream_app.progress import Chunk, OutOfOrderError, Progress
from stream_app.recovery import Plan, Positions, Recovery
from stream_app.slabs import Record
from tests.stream_app.broker import Broker, Chains, Reading, WrongError, claim, recover

if TYPE_CHECKING:
    from tests.stream_app.simulation import Simulation


@dataclass(frozen=True)
class Parts:
    """The code under test."""

    recovery: type[Recovery] = Recovery
    progress: type[Progress[Reading]] = Progress
    checkpointer: type[Checkpointer] = Checkpointer
    owner: type[Owner] | None = None


class Owner:
    """A worker process with its one partition: the edge in miniature, each step of which may be its last."""

    def __init__(self, name: str, broker: Broker, parts: Parts, world: Simulation) -> None:
        self.name, self.broker, self.parts, self.world = name, broker, parts, world
        self.random = world.random
        self.slabs = self.random.choice(world.slab_counts)
        self.alive = True
        self.low_water = 0  # nothing that it may still write covers less
        self.generation: int | None = None  # as far as it knows
        self.quiet = 0  # what was committed when its generation began must not be published again
        self.position: int | None = None
        self.in_flight: list[Reading] = []
        self.loading: tuple[int | None, int | None] | None = None  # generation, committed
        self.state = Chains(world.unserved)
        self.progress: Progress[Reading] | None = None
        self.checkpointer: Checkpointer | None = None
        self.queue: deque[Chunk[Reading]] = deque()
        self.wire: deque[tuple[Chunk[Reading], list[tuple[Reading, int]]]] = deque()  # sends arrive in order
        self.arrived: list[Chunk[Reading]] = []  # their confirmations are on the way
        self.state_wire: list[tuple[Checkpointer, int | None, Record]] = []
        self.written: dict[int, int] = {}  # slab's place in the checkpoint -> state offset
        self.commits: deque[tuple[int | None, int]] = deque()

    # What the group does to it

    def assigned(self) -> None:
        self.generation = self.broker.generation
        self.quiet = self.broker.committed or 0
        self.position = self.broker.earliest if self.broker.committed is None else self.broker.committed

    def revoked(self) -> None:
        """The state goes; what is queued, on the wire or being fetched comes back later."""
        self.generation = self.progress = self.checkpointer = self.position = None

    def die(self) -> None:
        """Of what it sent, some arrives, later."""
        self.revoked()
        self.alive = False
        while self.wire and self.random.random() < 0.5:
            self.wire.pop()
        self.state_wire = [sent for sent in self.state_wire if self.random.random() < 0.5]

    def steps(self) -> list[Callable[[], None]]:
        """Whatever it could do next."""
        possible: list[tuple[Callable[[], None], object]] = [
            (self.deliver, self.wire),
            (self.deliver_state, self.state_wire),
        ]
        if self.alive:
            possible += [
                (self.load, self.generation is not None and self.progress is None),
                (self.fetch, self.position is not None and not self.in_flight),
                (self.receive, self.in_flight),
                (self.apply, self.queue),
                (self.hear, self.arrived),
                (self.take, self.checkpointer and not self.checkpointer.pending),
                (self.write, self.checkpointer and self.progress and self.checkpointer.ready(self.progress)),
                (self.commit, self.progress),
                (self.deliver_commit, self.commits),
            ]
        return [step for step, can in possible if can]

    # Recovery

    def load(self) -> None:
        """First the committed offset, at another moment all the rest; not if the group moved on in between."""
        if self.loading is None:
            self.loading = (self.generation, self.broker.committed)
            return
        (generation, committed), self.loading = self.loading, None
        if self.may_go_on(generation):
            self.start(committed)

    def may_go_on(self, generation: int | None) -> bool:
        return generation == self.generation

    def start(self, committed: int | None) -> None:
        broker = self.broker
        opening = broker.end if self.world.opens_at_end else broker.earliest
        recovery = recover(self.parts.recovery(self.slabs), broker)
        plan = recovery.plan(Positions(broker.earliest, broker.end, committed, opening)).restore(self.state)
        self.world.planned(plan)
        self.open(plan)
        if plan.recommit:
            self.recommit(plan)
        self.position = self.low_water = plan.start
        self.progress = self.parts.progress(plan, self.generation or 0)
        self.checkpointer = self.parts.checkpointer(plan, self.state, self.slabs, self.world.slab_bytes)
        self.written.clear()

    def open(self, plan: Plan) -> None:
        if plan.opening is not None:
            self.broker.append(plan.opening)

    # From fetch to commit

    def recommit(self, plan: Plan) -> None:
        self.broker.commit(self.generation or 0, plan.publish_from)
        self.quiet = plan.publish_from

    def fetch(self) -> None:
        assert self.position is not None
        self.in_flight = self.broker.fetch(self.position, self.random.randint(1, 6))
        if self.in_flight:
            self.position = self.in_flight[-1].offset + 1

    def receive(self) -> None:
        """A fetch returns, maybe one from before a rebalance or a seek."""
        fetched, self.in_flight = self.in_flight, []
        if self.progress is None or self.generation is None:
            return
        admission = self.progress.admit(fetched, self.generation)
        if admission.seek is not None:
            self.position = admission.seek
        if admission.hole and admission.hole[0] < self.broker.earliest:
            self.die()  # readings were lost under it: a worker stops, and says at its next start what is gone
        else:
            self.queue.extend(admission.chunks)

    def apply(self) -> None:
        """As in an agent of Faust, what it does not own is passed over, and acknowledged all the same."""
        chunk = self.queue.popleft()
        if self.progress is None or self.checkpointer is None or not self.progress.owns(chunk):
            self.acknowledge(chunk)
            return
        if self.world.loses(chunk):
            return
        try:
            with self.progress.applying(chunk):
                flags = self.observe(chunk, self.progress, self.checkpointer)
        except OutOfOrderError:
            self.die()
            return
        if not chunk.publish:
            self.acknowledge(chunk)
            return
        if chunk.records[0].offset < self.quiet:
            raise WrongError(f"{self.name} publishes {chunk.start}, though {self.quiet} was committed")
        self.wire.append((chunk, flags))

    def observe(
        self, chunk: Chunk[Reading], progress: Progress[Reading], checkpointer: Checkpointer
    ) -> list[tuple[Reading, int]]:
        flags = []
        for reading in chunk.records:
            if chunk.settled or not progress.holds(reading.offset, reading.dataset, reading.series):
                passed_over = self.state.passes_over(reading)
                self.touch(checkpointer, reading, passed_over)
                if passed_over:
                    self.world.passed_over.add(reading.offset)
                else:
                    flags.append((reading, self.state.observe(reading)))
        return flags

    def touch(self, checkpointer: Checkpointer, reading: Reading, passed_over: bool) -> None:
        checkpointer.touch(reading.dataset, [reading.series], size=20)

    def deliver(self) -> None:
        chunk, flags = self.wire.popleft()
        self.broker.flags.extend(flags)
        self.arrived.append(chunk)

    def hear(self) -> None:
        """Confirmations are heard in any order."""
        self.acknowledge(self.arrived.pop(self.random.randrange(len(self.arrived))))

    def acknowledge(self, chunk: Chunk[Reading]) -> None:
        if self.progress is not None:
            self.progress.confirm(chunk)

    def commit(self) -> None:
        assert self.progress is not None
        self.commits.append((self.generation, self.progress.confirmed))

    def deliver_commit(self) -> None:
        generation, offset = self.commits.popleft()
        refused = generation is None or not self.broker.commit(generation, offset)
        if refused and self.random.random() < 0.2 and self.generation != self.broker.generation:
            self.revoked()

    # Checkpoints

    def take(self) -> None:
        if self.checkpointer and self.progress:
            self.checkpointer.take(self.progress)

    def write(self) -> None:
        if self.checkpointer:
            records = self.checkpointer.slabs()
            self.state_wire += [(self.checkpointer, place, record) for place, record in enumerate(records)]
            if not records:
                self.mark(self.checkpointer)

    def deliver_state(self) -> None:
        """Slabs arrive in any order; when all did, the marker is sent, and then the checkpoint is done."""
        sender, place, record = self.state_wire.pop(self.random.randrange(len(self.state_wire)))
        offset = self.broker.append(record)
        if sender is not self.checkpointer:
            return
        if place is None:
            self.finish(sender, record)
        else:
            self.written[place] = offset
            if not any(other is sender for other, _, _ in self.state_wire):
                self.mark(sender)

    def mark(self, sender: Checkpointer) -> None:
        self.state_wire.append((sender, None, sender.marker([self.written[n] for n in sorted(self.written)])))

    def finish(self, sender: Checkpointer, record: Record) -> None:
        self.low_water = claim(record)
        self.written.clear()
        sender.finish()
