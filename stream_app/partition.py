"""What a worker keeps of one partition, and what one chunk of it leads to; no Kafka, no clock but a stopwatch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from operator import ne
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, Scored
from models.flags import Flags
from models.packing import SnapshotError, unpack
from models.stream import Cut, StreamDetector, to_batch
from monitoring.metrics import ChunkRecord, DatasetRecord
from schemas.decoding import Decoded, decode
from schemas.drift import Sample
from stream_app import tally
from stream_app.batches import Record
from stream_app.outgoing import Message, of_flags, of_rejection
from stream_app.progress import Chunk
from stream_app.record_batch import Records, joined
from stream_app.timing import Stopwatch

Index = NDArray[np.int64]
Holds = Callable[[int, str, str], bool]  # offset, dataset, series: the restored state has this reading already


class Detectors(Protocol):
    """The detectors in service."""

    def serving(self, dataset: str) -> Detector | None:
        """The dataset's detector, loaded if need be; None if it has no release."""

    def retired(self, dataset: str) -> bool:
        """True if the dataset's detector was dropped from memory, and its series must go with it."""

    def adopted(self, detector: Detector, windows_survive: bool) -> None:
        """A partition has gone over to this detector."""

    def skipped(self, dataset: str, readings: int) -> None:
        """So many readings of a dataset without a release were passed over."""


class Rules(NamedTuple):
    """How a partition's chunks are worked on; what changes a flag is not here but in the release."""

    topic: str
    partition: int
    source: str  # who flags, as CloudEvents calls it
    everything: bool  # publish all windows, not only the flagged ones
    max_future_seconds: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a chunk led to."""

    flags: Records
    dead_letters: Sequence[Message]
    touched: Mapping[str, Set[str]]  # the series with readings, per dataset: what was recorded of them is outdated
    stale: Mapping[str, Sequence[str]]  # series all of whose readings are late, said once
    seen: Sequence[tuple[Detector, Sample]]  # for drift; nothing of what was counted by who published it
    record: ChunkRecord


@dataclass(frozen=True, eq=False)
class Part:
    """A chunk's readings of one dataset, taken in."""

    dataset: str
    stream: StreamDetector
    cut: Cut
    unknown: int  # values of features that the detector does not know


@dataclass(frozen=True, eq=False)
class Begun:
    """A chunk between its halves."""

    chunk: Chunk[Record]
    decoded: Decoded
    groups: Mapping[str, Index]  # by dataset, the places of its readings among those decoded
    parts: Sequence[Part]  # of the datasets that have a release
    size: int  # bytes of the records' values
    seconds: defaultdict[str, float]  # by stage


class PartitionState:
    """The series of one partition, per dataset in a StreamDetector; a checkpoint's SeriesState."""

    def __init__(self, detectors: Detectors, rules: Rules) -> None:
        self._detectors = detectors
        self._rules = rules
        self.streams: dict[str, StreamDetector] = {}
        self.copied = 0  # series, over all snapshots
        self._features: tuple[str, ...] = ()  # those of the last readings, and so probably of the next
        self.dropped: Counter[str] = Counter()  # series not restored, by dataset: there is no release for them

    # -- as the checkpoint sees it

    def names(self) -> Mapping[str, Set[str]]:
        """The series kept now, per dataset."""
        return {dataset: stream.series() for dataset, stream in self.streams.items()}

    def snapshot(self, dataset: str, series: list[str]) -> bytes:
        """A copy of these series' state, packed."""
        self.copied += len(series)
        return self.streams[dataset].snapshot(series)

    def restore(self, dataset: str, data: bytes) -> None:
        """Add what `snapshot` packed; series of a dataset without a release have nobody to watch them, and go."""
        stream = self._stream(dataset)
        if stream is None:
            self.dropped[dataset] += _series_in(data)
        else:
            stream.restore(data)

    def clear(self) -> None:
        """Forget all series."""
        self.streams.clear()
        self.dropped.clear()

    # -- as the worker sees it: `cut` and `judge` are the halves of a chunk, with its windows scored between them

    def cut(self, chunk: Chunk[Record], holds: Holds) -> Begun:
        """Take a chunk's readings in; the windows that ended wait in `Begun.parts` to be scored."""
        watch = Stopwatch()
        records = chunk.records
        seen = np.array([record.timestamp for record in records], np.int64) * 1000
        payloads = [record.value for record in records]
        decoded = decode(payloads, seen, self._rules.max_future_seconds, self._features)
        groups = _by_dataset(decoded, records, None if chunk.settled else holds)
        watch.lap("decode")
        parts = [
            part
            for dataset, where in groups.items()
            if (part := self._cut(dataset, decoded, where, seen, chunk.publish, watch)) is not None
        ]
        return Begun(chunk, decoded, groups, parts, sum(map(len, filter(None, payloads))), watch.laps)

    def judge(self, begun: Begun, scored: Sequence[Scored]) -> Outcome:
        """Say what is to be published, given what became of each part's windows; nothing, if it was before."""
        watch = Stopwatch(begun.seconds)
        publish = begun.chunk.publish
        results = [self._judge(part, of, publish) for part, of in zip(begun.parts, scored, strict=True)]
        watch.lap("flags")
        flags = joined([of_flags(result.flags, self._rules.source) for result in results])
        dead = [self._dead_letter(begun, number) for number in range(len(begun.decoded.rejections))] if publish else []
        watch.lap("encode")
        stale = {part.dataset: result.stale for part, result in zip(begun.parts, results, strict=True) if result.stale}
        seen = [
            (part.stream.detector, result.sample)
            for part, result in zip(begun.parts, results, strict=True)
            if result.sample
        ]
        return Outcome(flags, dead, _touched(begun), stale, seen, self._record(begun, results))

    def _stream(self, dataset: str) -> StreamDetector | None:
        """The dataset's state under the detector in service now."""
        detector = self._detectors.serving(dataset)
        for other in [name for name in self.streams if self._detectors.retired(name)]:
            del self.streams[other]
        if detector is None:
            return None
        stream = self.streams.get(dataset)
        if stream is None:
            self.streams[dataset] = stream = StreamDetector(detector)
        elif stream.detector is not detector:
            self._detectors.adopted(detector, stream.adopt(detector))
        return stream

    def _cut(
        self, dataset: str, decoded: Decoded, where: Index, seen: Index, publish: bool, watch: Stopwatch
    ) -> Part | None:
        stream = self._stream(dataset)
        if stream is None:
            self._detectors.skipped(dataset, len(where))
            return None
        self._features = stream.detector.features
        batch, unknown = to_batch(decoded, where, seen, self._features)
        watch.lap("decode")
        cut = stream.cut(batch, again=not publish)
        watch.lap("window")
        return Part(dataset, stream, cut, unknown)

    def _judge(self, part: Part, scored: Scored, publish: bool) -> _Result:
        observed = part.stream.judge(part.cut, scored)
        if not publish:
            return _Result(Flags.none(), (), DatasetRecord(readings=observed.counts.readings), None)
        flags = part.stream.flags(observed, self._rules.everything)
        return _Result(flags, observed.stale, tally.counts(observed, part.unknown), tally.sample(part.cut, observed))

    def _dead_letter(self, begun: Begun, number: int) -> Message:
        rejection = begun.decoded.rejections[number]
        return of_rejection(begun.chunk.records[rejection.index], rejection, self._rules.topic, self._rules.partition)

    def _record(self, begun: Begun, results: Sequence[_Result]) -> ChunkRecord:
        chunk, decoded = begun.chunk, begun.decoded
        served = {part.dataset: result.counts for part, result in zip(begun.parts, results, strict=True)}
        return ChunkRecord(
            topic=self._rules.topic,
            records=len(chunk.records),
            size=begun.size,
            replayed=not chunk.publish,
            tombstones=decoded.tombstones,
            key_mismatches=_key_mismatches(chunk.records, decoded),
            unserved=sum(len(where) for dataset, where in begun.groups.items() if dataset not in served),
            dead_letters=Counter(rejection.stage for rejection in decoded.rejections),
            datasets=served,
            seconds=begun.seconds,
        )


class _Result(NamedTuple):
    flags: Flags
    stale: Sequence[str]
    counts: DatasetRecord
    sample: Sample | None


def _by_dataset(decoded: Decoded, records: Sequence[Record], holds: Holds | None) -> dict[str, Index]:
    """For each dataset the places of its readings among those decoded, without what the state holds already."""
    if holds is None and len(set(decoded.datasets)) == 1:  # the usual case, at a fifth of the time
        return {decoded.datasets[0]: np.arange(len(decoded))}
    groups: defaultdict[str, list[int]] = defaultdict(list)
    readings = zip(decoded.datasets, decoded.series, decoded.indices.tolist(), strict=True)
    for place, (dataset, series, index) in enumerate(readings):
        if holds is None or not holds(records[index].offset, dataset, series):
            groups[dataset].append(place)
    return {dataset: np.array(places, np.int64) for dataset, places in groups.items()}


def _touched(begun: Begun) -> dict[str, Set[str]]:
    """Readings of a dataset without a release count too: a slab that has its series lacks them from now on."""
    touched: dict[str, Set[str]] = {part.dataset: set(part.cut.batch.series) for part in begun.parts}
    for dataset in begun.groups.keys() - touched.keys():
        touched[dataset] = {begun.decoded.series[place] for place in begun.groups[dataset].tolist()}
    return touched


def _series_in(snapshot: bytes) -> int:
    try:
        return len(unpack(snapshot).series)
    except SnapshotError:  # nobody needs it
        return 0


def _key_mismatches(records: Sequence[Record], decoded: Decoded) -> int:
    keys = [record.key for record in records]
    if len(decoded) < len(records):
        keys = [keys[index] for index in decoded.indices.tolist()]
    return sum(map(ne, keys, map(str.encode, decoded.series)))
