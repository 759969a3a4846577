"""A broker, owners that come and go, and chance: the very checkpoint code, driven without Kafka.

    readings ──fetch──> admit ──> queue ──> apply ──> wire ──> flags topic ──> confirm ──> commit
                                              │
                                              └─ copy ──(all flags below confirmed)──> slabs ──> marker

Every arrow is a step of its own, and a random one is taken next: so an owner may be revoked, become a zombie (it does
not know that it was revoked, and goes on) or die between any two, and what it sent may still arrive, much later.
Against all this stands one truth: a flag is the hash of all readings of its series up to its own, so one reading too
many, too few or out of order shows in every later flag. Every reading must be flagged, with exactly that hash.

Owner is the Faust edge in miniature; `Parts` lets a test put in a part from which one cure was taken out.
"""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from zlib import crc32

from stream_app.checkpoint import Checkpointer
from stream_app.progress import Chunk, Progress
from stream_app.recovery import Plan, Positions, Recovery
from stream_app.slabs import Marker, Record, UnreadableError, decode

SERIES = [(dataset, f"series-{n}") for dataset in ("pumps", "fans") for n in range(4)]
PACKED = struct.Struct(">16sI")


class WrongError(AssertionError):
    """The simulation caught the code in a fault."""


@dataclass(frozen=True)
class Reading:
    offset: int
    dataset: str
    series: str
    value: int


def chained(chain: int, reading: Reading) -> int:
    """The state of a series after one more reading."""
    return crc32(struct.pack(">II", chain, reading.value))


class Chains:
    """The simplest series state: of each series, the hash of its readings in order. A `SeriesState`."""

    def __init__(self) -> None:
        self.chains: dict[str, dict[str, int]] = {}

    def observe(self, reading: Reading) -> int:
        chains = self.chains.setdefault(reading.dataset, {})
        chains[reading.series] = chained(chains.get(reading.series, 0), reading)
        return chains[reading.series]

    def names(self) -> dict[str, dict[str, int]]:
        return self.chains

    def snapshot(self, dataset: str, series: list[str]) -> bytes:
        return b"".join(PACKED.pack(name.encode(), self.chains[dataset][name]) for name in series)

    def restore(self, dataset: str, data: bytes) -> None:
        if len(data) % PACKED.size:
            raise ValueError(f"{len(data)} bytes are no whole number of series")
        chains = self.chains.setdefault(dataset, {})
        for name, chain in PACKED.iter_unpack(data):
            chains[name.rstrip(b"\0").decode()] = chain

    def clear(self) -> None:
        self.chains.clear()


@dataclass
class Broker:
    """One partition of readings, of state and of flags, and one group. Offsets of readings have gaps."""

    readings: list[Reading] = field(default_factory=list)  # all that ever came; those below `earliest` are gone
    earliest: int = 0
    end: int = 0
    state: dict[int, Record] = field(default_factory=dict)
    state_end: int = 0
    flags: list[tuple[Reading, int]] = field(default_factory=list)
    generation: int = 0
    committed: int | None = None

    def fetch(self, position: int, most: int) -> list[Reading]:
        """From `position` or, as Kafka's consumer does, from the earliest if that is gone."""
        position = max(position, self.earliest)
        return [reading for reading in self.readings if reading.offset >= position][:most]

    def append(self, record: Record) -> int:
        self.state[self.state_end] = record
        self.state_end += 1
        return self.state_end - 1

    def compact(self, until: int) -> None:
        """Below `until`, of each key only the last record stays."""
        last = {record.key: offset for offset, record in self.state.items()}
        gone = [offset for offset, record in self.state.items() if offset < until and last[record.key] != offset]
        for offset in gone:
            del self.state[offset]

    def commit(self, generation: int, offset: int) -> bool:
        """A commit of another generation is refused, as Kafka does."""
        if generation == self.generation:
            self.committed = offset
        return generation == self.generation


def claim(record: Record) -> int:
    """The offset up to which a slab or a marker speaks of the readings; garbage says nothing."""
    try:
        content = decode(*record)
    except UnreadableError:
        return 0
    return content.start if isinstance(content, Marker) else content.cover


def recover(recovery: Recovery, broker: Broker) -> Recovery:
    """Read the state partition's tail, as the edge does."""
    at = broker.state_end
    while (lower := recovery.back_to(at, 0)) is not None:
        for offset in range(lower, at):
            if offset in broker.state:
                recovery.add(offset, *broker.state[offset])
        at = lower
    return recovery


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
        self.state = Chains()
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
        self.position = self.low_water = plan.start
        self.progress = self.parts.progress(plan, self.generation or 0)
        self.checkpointer = self.parts.checkpointer(plan, self.state, self.slabs, self.world.slab_bytes)
        self.written.clear()

    def open(self, plan: Plan) -> None:
        if plan.opening is not None:
            self.broker.append(plan.opening)

    # From fetch to commit

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
        with self.progress.applying(chunk):
            flags = self.observe(chunk, self.progress, self.checkpointer)
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
                flags.append((reading, self.state.observe(reading)))
                checkpointer.touch(reading.dataset, [reading.series], size=20)
        return flags

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


class Simulation:
    """One run of chance; `run` raises `WrongError` if a flag is missing, wrong, out of order or needlessly repeated."""

    def __init__(self, seed: int, parts: Parts | None = None, ticks: int = 300) -> None:
        self.random = Random(seed)
        self.parts = parts or Parts()
        self.ticks = ticks
        self.loses_readings = self.random.random() < 0.2  # retention cuts what is still needed
        self.spoils_state = self.random.random() < 0.15  # someone writes garbage to the state topic
        self.opens_at_end = not self.spoils_state and self.random.random() < 0.3
        self.unrest = self.random.choice([0.03, 0.05, 0.1])
        self.slab_counts = self.random.choice([[3], [3], [2, 4]])
        self.slab_bytes = self.random.choice([900_000, 900_000, 120])
        self.pace: defaultdict[str, int] = defaultdict(lambda: self.random.choice([1, 1, 5]))  # of each kind of step
        self.broker = Broker()
        self.owners: list[Owner] = []
        self.current: Owner | None = None
        self.opened: int | None = None  # where the first owner began
        self.holes: list[tuple[int, int]] = []
        self.born = 0

    def run(self) -> None:
        for _ in range(self.ticks):
            self.tick()
        self.settle()
        self.verify()

    def tick(self) -> None:
        happening = self.random.random()
        if happening < 0.12:
            self.produce()
        elif happening < 0.15:
            self.broker.compact(self.random.randint(0, self.broker.state_end))
        elif happening < 0.18:
            self.spoil() if self.spoils_state else self.cut()
        elif happening < 0.20 and self.owners:
            self.random.choice(self.owners).die()
        elif happening < 0.20 + self.unrest:
            self.rebalance()
        else:
            for _ in range(4):
                self.step()

    def produce(self) -> None:
        for _ in range(self.random.randint(1, 8)):
            offset = self.broker.end + self.random.choice([0, 0, 0, 1, 3])
            dataset, series = self.random.choice(SERIES)
            self.broker.readings.append(Reading(offset, dataset, series, self.random.getrandbits(32)))
            self.broker.end = offset + 1
        self.broker.end += self.random.choice([0, 0, 2])  # a transaction's end takes an offset too

    def rebalance(self) -> None:
        """The old owner learns of it, or becomes a zombie; the new one is a new process, the old one, or a zombie."""
        if self.current is not None and self.random.random() < 0.5:
            self.current.revoked()
        candidates = [owner for owner in self.owners if owner.alive]
        if not candidates or (len(candidates) < 4 and self.random.random() < 0.4):
            candidates = [self.spawn()]
        self.assign(self.random.choice(candidates))

    def spawn(self) -> Owner:
        self.born += 1
        self.owners.append((self.parts.owner or Owner)(f"owner-{self.born}", self.broker, self.parts, self))
        return self.owners[-1]

    def assign(self, owner: Owner) -> None:
        self.broker.generation += 1
        owner.revoked()
        owner.assigned()
        self.current = owner

    def step(self) -> None:
        """Any owner's next step; the dead are forgotten when nothing of them is on its way any more."""
        if not self.owners:
            return
        owner = self.random.choice(self.owners)
        steps = owner.steps()
        if steps:
            self.random.choices(steps, [self.pace[step.__name__] for step in steps])[0]()
        elif not owner.alive:
            self.owners.remove(owner)

    def cut(self) -> None:
        """Retention: below what anyone still needs, or (then it must be said) beyond it."""
        safe = self.broker.end if self.loses_readings and self.random.random() < 0.5 else self.still_needed()
        self.broker.earliest = self.random.randint(self.broker.earliest, max(safe, self.broker.earliest))

    def spoil(self) -> None:
        """Garbage in the state topic, under keys of ours: half a record, or one with a wrong byte."""
        key, value = self.random.choice([*self.broker.state.values(), Record(b"marker", bytes(9))])
        at = self.random.randrange(len(value) or 1)
        spoilt = bytes([value[at] ^ 1]) + value[at + 1 :] if value and self.random.random() < 0.5 else b""
        self.broker.append(Record(key, value[:at] + spoilt))

    def still_needed(self) -> int:
        """Where a new owner might start, now or after all that is on its way, or may yet be sent, has arrived."""
        newest = {record.key: record for record in self.broker.state.values()}
        sent = [record for owner in self.owners for _, _, record in owner.state_wire]
        claims = [claim(record) for record in (*newest.values(), *sent)]
        return min([*claims, *(owner.low_water for owner in self.owners if owner.progress)], default=0)

    def planned(self, plan: Plan) -> None:
        if self.opened is None:
            self.opened = plan.start
        if plan.hole is not None:
            if not self.loses_readings:
                raise WrongError(f"readings {plan.hole} are said to be lost, though retention kept all that is needed")
            self.holes.append(plan.hole)

    def settle(self) -> None:
        """All others die, one owner goes on until all is flagged and committed."""
        for owner in self.owners:
            owner.die()
        self.assign(self.spawn())
        self.pace = defaultdict(lambda: 1)
        for _ in range(5_000):
            self.step()
            if self.current is not None and not self.current.alive:
                self.assign(self.spawn())
            if self.is_done():
                return
        raise WrongError("the last owner never comes to an end")

    def is_done(self) -> bool:
        last = self.broker.readings[-1].offset + 1 if self.broker.readings else 0
        progress = self.current.progress if self.current else None
        return len(self.owners) == 1 and progress is not None and progress.confirmed >= max(last, self.opened or 0)

    def verify(self) -> None:
        opened = self.opened or 0
        readings = [reading for reading in self.broker.readings if reading.offset >= opened]
        truths = [expected(readings, origin) for origin in (opened, *(until for _, until in self.holes))]
        for reading, chain in self.broker.flags:
            if reading.offset >= opened and all(truth.get(reading.offset) != chain for truth in truths):
                raise WrongError(f"the flag of {reading} is not that of its readings")
        flagged = {reading.offset for reading, _ in self.broker.flags}
        for reading in readings:
            if reading.offset not in flagged and not any(a <= reading.offset < b for a, b in self.holes):
                raise WrongError(f"{reading} has no flag")
        if not self.holes:  # after one, a zombie may bring flags that the owner could not
            self.verify_order()

    def verify_order(self) -> None:
        newest: dict[tuple[str, str], int] = {}
        seen = set()
        for reading, _ in self.broker.flags:
            series = (reading.dataset, reading.series)
            if reading.offset not in seen and reading.offset < newest.get(series, -1):
                raise WrongError(f"the first flag of {reading} comes after one of {newest[series]}")
            seen.add(reading.offset)
            newest[series] = max(newest.get(series, -1), reading.offset)


def expected(readings: Sequence[Reading], origin: int) -> dict[int, int]:
    """The chain that each reading's flag must have, by offset, if its series began at `origin`."""
    truth = Chains()
    return {reading.offset: truth.observe(reading) for reading in readings if reading.offset >= origin}
