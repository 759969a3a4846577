"""What one chunk does to a partition's state, and what it leads to; no Kafka."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.detector import Detector
from schemas.flag import Flag
from stream_app.partition import Holds, Outcome, PartitionState, Rules
from stream_app.progress import Chunk
from stream_app.record_batch import Header
from stream_app.turn import score
from tests import fakes
from tests.sent import messages

NOW_MS = 1_700_000_000_000
RULES = Rules("readings", 3, "/tidewatch/readings", everything=True, max_future_seconds=300)


class Record(NamedTuple):
    """A record as it is fetched."""

    offset: int
    value: bytes | None
    key: bytes | None = None
    timestamp: int = NOW_MS
    headers: list[Header] = []  # noqa: RUF012 -- nobody changes it


class Shelf:
    """Detectors that a test puts into service."""

    def __init__(self, *detectors: Detector) -> None:
        self.held = {detector.dataset: detector for detector in detectors}
        self.unserved: dict[str, int] = {}
        self.adoptions: list[tuple[str, bool]] = []

    @property
    def detectors(self) -> list[Detector]:
        return list(self.held.values())

    def serving(self, dataset: str) -> Detector | None:
        return self.held.get(dataset)

    def retired(self, dataset: str) -> bool:
        return dataset not in self.held

    def adopted(self, detector: Detector, windows_survive: bool) -> None:
        self.adoptions.append((detector.release, windows_survive))

    def skipped(self, dataset: str, readings: int) -> None:
        self.unserved[dataset] = self.unserved.get(dataset, 0) + readings


def reading(offset: int, series: str = "a", dataset: str = "pumps", moment: int | None = None, **values: Any) -> Record:
    """A reading a second, unless `moment` says another one."""
    content = {
        "series_id": series,
        "timestamp": NOW_MS - 100_000 + 1000 * (offset if moment is None else moment),
        "values": values or {"flow": offset % 7, "temp": offset % 5},
        "dataset": dataset,
    }
    return Record(offset, json.dumps(content).encode(), series.encode())


def chunk(records: Sequence[Record], *, publish: bool = True, settled: bool = True) -> Chunk[Any]:
    """All of them, let in."""
    return Chunk(records[0].offset, records[-1].offset + 1, records, publish=publish, settled=settled)


def apply(state: PartitionState, records: Sequence[Record], holds: Holds | None = None, **kind: bool) -> Outcome:
    """Both halves of a chunk, as a turn of one plays them."""
    begun = state.cut(chunk(records, **kind), holds or (lambda offset, dataset, series: False))
    return state.judge(begun, score([(part.stream.detector, part.cut.windows) for part in begun.parts]))


def flags(outcome: Outcome) -> list[Flag]:
    """The flags that are to be published."""
    return [msgspec.json.decode(message.value or b"", type=Flag) for message in messages(outcome.flags)]


@given(cuts=st.sets(st.integers(1, 39)), series=st.lists(st.sampled_from("abc"), min_size=40, max_size=40))
def test_it_does_not_matter_how_a_partition_is_cut_into_chunks(cuts: set[int], series: list[str]):
    """Chunks of any sizes lead to the same flags as one chunk."""
    records = [reading(offset, name) for offset, name in enumerate(series)]
    whole = flags(apply(PartitionState(Shelf(fakes.detector()), RULES), records))
    state, bounds = PartitionState(Shelf(fakes.detector()), RULES), [0, *sorted(cuts), 40]
    parts = [flags(apply(state, records[a:b])) for a, b in pairwise(bounds)]
    assert sorted((f.id, f.score) for part in parts for f in part) == sorted((f.id, f.score) for f in whole)


def test_a_replay_changes_the_state_alike_and_says_nothing():
    """Readings that are applied without publishing leave the same state as readings that are published."""
    records = [reading(offset) for offset in range(20)]
    told, silent = (PartitionState(Shelf(fakes.detector()), RULES) for _ in range(2))
    apply(told, records[:15])
    outcome = apply(silent, [*records[:15], Record(15, b"garbage")], publish=False)
    assert not outcome.flags
    assert not outcome.dead_letters
    assert outcome.record.replayed
    assert flags(apply(silent, records[15:])) == flags(apply(told, records[15:]))


def test_what_the_restored_state_holds_is_not_applied_again():
    """In a chunk that is not settled each reading is asked for, by offset, dataset and series."""
    records = [reading(offset) for offset in range(10)]
    whole, restored = (PartitionState(Shelf(fakes.detector()), RULES) for _ in range(2))
    wanted = flags(apply(whole, records))
    apply(restored, records[:6])
    asked: list[tuple[int, str, str]] = []

    def holds(offset: int, dataset: str, series: str) -> bool:
        asked.append((offset, dataset, series))
        return offset < 6

    outcome = apply(restored, records, holds, settled=False)
    assert flags(outcome) == wanted[-4:]
    assert asked == [(offset, "pumps", "a") for offset in range(10)]
    assert outcome.record.datasets["pumps"].duplicates == outcome.record.datasets["pumps"].late == 0


def test_datasets_do_not_touch_each_other():
    """Each dataset of a chunk has its own detector; one without a release is counted and left out."""
    shelf = Shelf(fakes.detector(), fakes.detector(dataset="fans", features=("flow",)))
    mixed = [reading(offset, dataset=("pumps", "fans", "ghosts")[offset % 3]) for offset in range(30)]
    outcome = apply(PartitionState(shelf, RULES), mixed)
    for dataset in ("pumps", "fans"):
        alone = apply(PartitionState(shelf, RULES), [r for r in mixed if f'"{dataset}"'.encode() in (r.value or b"")])
        assert [f for f in flags(outcome) if f.dataset == dataset] == flags(alone)
    assert outcome.record.unserved == shelf.unserved["ghosts"] == 10
    assert outcome.touched == {"pumps": {"a"}, "fans": {"a"}, "ghosts": {"a"}}
    assert outcome.record.datasets["fans"].unknown_values == 10


def test_bad_records_become_dead_letters_with_their_reasons():
    """Key, value and headers as they came, then stage, error and place; the neighbours are scored as if alone."""
    good = [reading(offset, moment=offset) for offset in (0, 1, 4, 5, 6, 8)]
    bad = [
        Record(2, b"\xff{", None, headers=[("trace", b"\x00\x01"), ("none", None)]),
        Record(3, json.dumps({"series_id": "a", "timestamp": 0, "values": {"flow": True}}).encode(), b"a"),
        reading(7, moment=10_000),
    ]
    records = sorted([*good, *bad, Record(9, None, b"a")])
    outcome = apply(PartitionState(Shelf(fakes.detector()), RULES), records)
    assert flags(outcome) == flags(apply(PartitionState(Shelf(fakes.detector()), RULES), good))
    assert [(letter.key, letter.value) for letter in outcome.dead_letters] == [(r.key, r.value) for r in bad]
    assert [outcome.dead_letters[k].headers[: len(bad[k].headers)] for k in range(3)] == [r.headers for r in bad]
    why = [dict(letter.headers) for letter in outcome.dead_letters]
    assert [told["tidewatch-stage"] for told in why] == [b"decode", b"value", b"time"]
    assert [told["tidewatch-offset"] for told in why] == [b"2", b"3", b"7"]
    assert {(told["tidewatch-topic"], told["tidewatch-partition"]) for told in why} == {(b"readings", b"3")}
    assert outcome.record.dead_letters == {"decode": 1, "value": 1, "time": 1}
    assert outcome.record.tombstones == 1


def test_flags_are_cloud_events_keyed_by_series():
    """A flag's headers repeat its id and time, and name type and source; without `everything` only anomalies."""
    records = [reading(offset, flow=10.0 + (90 if offset == 9 else 0), temp=11.0) for offset in range(12)]
    everything = apply(PartitionState(Shelf(fakes.detector()), RULES), records)
    flagged = apply(PartitionState(Shelf(fakes.detector()), RULES._replace(everything=False)), records)
    first, message = flags(everything)[0], messages(everything.flags)[0]
    assert message.key == b"a"
    assert dict(message.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_type": b"tidewatch.flag.v1",
        "ce_source": b"/tidewatch/readings",
        "ce_id": first.id.encode(),
        "ce_time": first.timestamp.encode(),
    }
    assert flags(flagged) == [flag for flag in flags(everything) if flag.is_anomaly]
    assert flagged.record.datasets["pumps"].windows == 9
    assert flagged.record.datasets["pumps"].flags == len(flagged.flags) > 0


def test_keys_that_are_not_the_series_are_counted():
    """A producer that keys otherwise scatters a series over partitions: that must show."""
    records = [reading(0), reading(1)._replace(key=b"b"), reading(2)._replace(key=None)]
    assert apply(PartitionState(Shelf(fakes.detector()), RULES), records).record.key_mismatches == 2


def test_a_snapshot_goes_into_another_state():
    """What one partition copied another restores, by dataset, and goes on alike; without a release it goes."""
    first, second = (PartitionState(Shelf(fakes.detector()), RULES) for _ in range(2))
    records = [reading(offset, "ab"[offset % 2]) for offset in range(20)]
    apply(first, records[:14])
    assert {dataset: set(series) for dataset, series in first.names().items()} == {"pumps": {"a", "b"}}
    second.restore("pumps", first.snapshot("pumps", ["a", "b"]))
    second.restore("ghosts", b"whatever")
    second.restore("ghosts", first.snapshot("pumps", ["a", "b"]))
    assert second.dropped == {"ghosts": 2}
    assert flags(apply(first, records[14:])) == flags(apply(second, records[14:]))
    second.clear()
    assert not second.names()


def test_a_dataset_out_of_service_for_a_while_warms_up_again():
    """Its readings are passed over, so what a checkpoint has of their series must not be taken for all of them.

    Of series that the restored state holds beyond such a reading, nothing is outdated.
    """
    shelf = Shelf()
    state = PartitionState(shelf, RULES)
    records = [reading(0, "a", "fans"), reading(1, "b", "fans"), reading(2, "c", "fans")]
    held = apply(state, records, lambda offset, dataset, series: series == "b", settled=False)
    assert held.touched == {"fans": {"a", "c"}}


def test_another_release_is_adopted_between_chunks():
    """The next chunk is judged by the new detector, over windows that survived."""
    old = fakes.detector()
    shelf = Shelf(old)
    state = PartitionState(shelf, RULES)
    apply(state, [reading(offset) for offset in range(10)])
    shelf.held["pumps"] = replace(old, release="20260102T000000Z-000002")
    (flag,) = flags(apply(state, [reading(10)]))
    assert flag.release == "20260102T000000Z-000002"
    assert shelf.adoptions == [("20260102T000000Z-000002", True)]


def test_series_go_with_their_detector():
    """A detector dropped from memory takes its series along when the partition is next at work."""
    shelf = Shelf(fakes.detector(), fakes.detector(dataset="fans"))
    state = PartitionState(shelf, RULES)
    apply(state, [reading(0), reading(1, dataset="fans")])
    del shelf.held["pumps"]
    apply(state, [reading(2, dataset="fans")])
    assert set(state.names()) == {"fans"}


def test_what_is_seen_is_each_reading_once_and_each_window():
    """Late and duplicate readings are dropped, so they are not seen either."""
    records = [
        *[reading(offset, flow=10.0 + offset, temp=None if offset == 2 else 11.0) for offset in range(6)],
        reading(6, moment=5, flow=99.0),
        reading(7, moment=1, flow=98.0),
        reading(8)._replace(timestamp=NOW_MS + 5),
    ]
    ((detector, sample),) = apply(PartitionState(Shelf(fakes.detector()), RULES), records).seen
    assert detector.release == fakes.detector().release
    assert sample.values[:, 0].tolist() == [10, 11, 12, 13, 14, 15, 8 % 7]
    assert np.isnan(sample.values[:, 1]).tolist() == [offset == 2 for offset in range(7)]
    assert sample.times.tolist() == [NOW_MS * 1000] * 6 + [NOW_MS * 1000 + 5000]
    assert sample.ends.tolist() == sample.times[3:].tolist()
    assert (len(sample.errors), len(sample.anomalous), len(sample.flagged)) == (4, 4, 4)


def test_what_was_counted_before_is_not_seen_again():
    """Neither what is replayed without being published, nor what the restored state holds."""
    records = [reading(offset) for offset in range(10)]
    state = PartitionState(Shelf(fakes.detector()), RULES)
    assert not apply(state, records[:5], publish=False).seen
    ((_, sample),) = apply(state, records[3:], lambda offset, dataset, series: offset < 5, settled=False).seen
    assert len(sample.values) == 5


def test_what_is_anomalous_goes_by_the_threshold_that_does_not_adapt():
    """What comes again and again uses its budget of flags up, and is over the release's own threshold all the same."""
    records = [
        reading(n, moment=n - 2000, flow=10.0 if n % 5 else 19.0, temp=11.0 if n % 5 else 15.5) for n in range(2000)
    ]
    outcome = apply(PartitionState(Shelf(fakes.detector()), RULES), records)
    ((_, sample),), told = outcome.seen, flags(outcome)
    assert sample.anomalous.tolist() == [flag.score > 1 for flag in told]
    assert sample.flagged.tolist() == [flag.is_anomaly for flag in told]
    assert 0 < sample.flagged.sum() < sample.anomalous.sum()
