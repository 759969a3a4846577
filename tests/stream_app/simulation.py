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

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from stream_app.progress import Chunk
from stream_app.recovery import Plan
from stream_app.slabs import Record
from tests.stream_app.broker import SERIES, Broker, Chains, Reading, WrongError, claim
from tests.stream_app.owner import Owner, Parts

MOST_PRODUCED = 50  # offsets that one turn of the producer takes, and more


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
        self.changes_service = self.random.random() < 0.2  # a dataset has no release for a while
        self.loses_chunks = self.random.random() < 0.1  # between fetch and scoring: a worker must stop then
        self.changes_log = not self.spoils_state and self.random.random() < 0.2  # the topic is made anew, once
        self.unserved: set[str] = set()
        self.passed_over: set[int] = set()  # readings that came while their dataset was unserved
        self.settling = False
        self.broker = Broker()
        self.owners: list[Owner] = []
        self.current: Owner | None = None
        self.opened: int | None = None  # where the first owner began
        self.holes: list[tuple[int, int]] = []
        self.born = 0

    def run(self) -> None:
        for number in range(self.ticks):
            self.tick()
            if self.changes_log and number == self.ticks // 2:
                self.make_anew()
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
            self.broker.readings.append(Reading(offset, dataset, series, self.random.getrandbits(32), self.broker.log))
            self.broker.end = offset + 1
        self.broker.end += self.random.choice([0, 0, 2])  # a transaction's end takes an offset too
        if self.changes_service and self.random.random() < 0.2:
            self.unserved ^= {"fans"}

    def make_anew(self) -> None:
        """While no worker runs; the next begins before the new log is as long as the old one was."""
        claimed = max((claim(record) for record in self.broker.state.values()), default=0)
        self.owners.clear()
        self.broker.make_anew(commits_late=self.random.random() < 0.5)
        self.opened, self.holes = None, []
        self.passed_over.clear()
        if claimed > MOST_PRODUCED:
            self.produce()
        owner = self.spawn()
        self.assign(owner)
        while owner.progress is None:
            owner.load()

    def loses(self, chunk: Chunk[Reading]) -> bool:
        return self.loses_chunks and not self.settling and self.random.random() < 0.02

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
        self.settling = True
        self.unserved.clear()
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
        origins = [opened, *(until for _, until in self.holes)]
        if self.changes_service:  # then a series may begin anew with any reading, but leaves none out from there on
            origins += [reading.offset for reading in readings]
        truths = [expected(readings, origin) for origin in origins]
        for reading, chain in self.flags():
            if reading.offset >= opened and all(truth.get(reading.offset) != chain for truth in truths):
                raise WrongError(f"the flag of {reading} is not that of its readings")
        flagged = {reading.offset for reading, _ in self.flags()} | self.passed_over
        for reading in readings:
            if reading.offset not in flagged and not any(a <= reading.offset < b for a, b in self.holes):
                raise WrongError(f"{reading} has no flag")
        if not self.holes and not self.changes_service:  # a zombie may bring flags that the owner could not
            self.verify_order()

    def flags(self) -> list[tuple[Reading, int]]:
        """Those of the log there is now."""
        return [(reading, chain) for reading, chain in self.broker.flags if reading.log == self.broker.log]

    def verify_order(self) -> None:
        newest: dict[tuple[str, str], int] = {}
        seen = set()
        for reading, _ in self.flags():
            series = (reading.dataset, reading.series)
            if reading.offset not in seen and reading.offset < newest.get(series, -1):
                raise WrongError(f"the first flag of {reading} comes after one of {newest[series]}")
            seen.add(reading.offset)
            newest[series] = max(newest.get(series, -1), reading.offset)


def expected(readings: Sequence[Reading], origin: int) -> dict[int, int]:
    """The chain that each reading's flag must have, by offset, if its series began at `origin`."""
    truth = Chains()
    return {reading.offset: truth.observe(reading) for reading in readings if reading.offset >= origin}
