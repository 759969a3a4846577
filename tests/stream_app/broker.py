"""What outlives every owner: one partition of readings, of state and of flags, and the simplest state of series."""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from zlib import crc32

from stream_app.recovery import Recovery
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
    log: int = 0  # how often the topic had been made anew


def chained(chain: int, reading: Reading) -> int:
    """The state of a series after one more reading."""
    return crc32(struct.pack(">II", chain, reading.value))


class Chains:
    """The simplest series state: of each series, the hash of its readings in order. A `SeriesState`."""

    def __init__(self, unserved: Collection[str] = ()) -> None:
        """Of datasets that are `unserved` at the moment nothing is kept."""
        self.chains: dict[str, dict[str, int]] = {}
        self.unserved = unserved

    def passes_over(self, reading: Reading) -> bool:
        """Whether nobody watches its dataset: then its series go."""
        if reading.dataset in self.unserved:
            self.chains.pop(reading.dataset, None)
        return reading.dataset in self.unserved

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
        chains = {} if dataset in self.unserved else self.chains.setdefault(dataset, {})
        for name, chain in PACKED.iter_unpack(data):
            chains[name.rstrip(b"\0").decode()] = chain

    def clear(self) -> None:
        self.chains.clear()


@dataclass
class Broker:
    """One partition of readings, of state and of flags, and one group. Offsets of readings have gaps."""

    log: int = 0
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

    def make_anew(self, commits_late: bool) -> None:
        """The readings topic is deleted and made again: Kafka forgets the commits before that."""
        self.readings, self.earliest, self.end = [], 0, 0
        self.committed = self.committed if commits_late else None
        self.log += 1

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
