"""Record batches of ours: aiokafka builds and reads the same."""

from __future__ import annotations

from itertools import pairwise

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import example, given
from hypothesis import strategies as st

from stream_app.outgoing import Message, as_records
from stream_app.record_batch import RecordBatch, joined, record
from tests.sent import TIME_MS, messages

parts = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=20), parts), max_size=4)
some = st.lists(st.builds(Message, parts, parts, headers), min_size=1, max_size=70)
LARGE = Message(bytes(64), bytes(2**21), [("é" * 64, bytes(8192)), ("", b""), ("nothing", None)])


@given(of=some, producer=st.tuples(st.integers(0, 2**62), st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1)))
@example(of=[LARGE] * 3, producer=(7, 1, 2**31 - 1))
def test_a_batch_is_byte_for_byte_what_aiokafka_builds(of: list[Message], producer: tuple[int, int, int]):
    """Keys, values and headers of any size, or none; with a producer's state, as set when it is sent."""
    theirs = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 2**30)
    for place, message in enumerate(of):
        theirs.append(place, TIME_MS, message.key, message.value, message.headers)
    theirs.set_producer_state(*producer)
    ours = RecordBatch(as_records(of), TIME_MS)
    ours._build()
    ours._set_producer_state(*producer)
    built = ours._build()
    assert built == bytes(theirs.build())
    assert ours.size() == len(built)
    assert ours.record_count() == len(of)
    assert ours.closed()


@given(of=some)
@example(of=[LARGE])
def test_a_batch_is_read_as_it_was_written(of: list[Message]):
    """By aiokafka's reader, checksum and all."""
    assert messages(as_records(of)) == of


@given(of=some, size=st.integers(100, 3000), start=st.integers(0, 69))
def test_a_batch_of_what_fits_is_no_larger(of: list[Message], size: int, start: int):
    """Unless the first record alone is; and not one more would surely fit."""
    start %= len(of)
    records = as_records(of)
    end = start + records.fitting(start, size)
    assert end == start + 1 or RecordBatch(records.part(start, end), TIME_MS).size() <= size
    assert end == len(of) or RecordBatch(records.part(start, end + 1), TIME_MS).size() + 12 * (end + 1 - start) > size


@given(of=some, cuts=st.lists(st.integers(0, 69)), data=st.data())
def test_records_can_be_parted_picked_and_joined(of: list[Message], cuts: list[int], data: st.DataObject):
    """Whatever their columns are."""
    records, bounds = as_records(of), [0, *sorted(cut % len(of) for cut in cuts), len(of)]
    assert messages(joined([records.part(*each) for each in pairwise(bounds)])) == of
    places = data.draw(st.lists(st.integers(0, len(of) - 1), min_size=1))
    picked = records.picked(places)
    assert messages(picked) == [of[place] for place in places]
    assert list(picked.keys) == [of[place].key for place in places]


def test_nothing_joined_is_nothing():
    """A chunk may lead to no flag."""
    assert len(joined([])) == len(joined([as_records([]), as_records([])])) == 0


def test_a_batch_without_a_producer_has_none():
    """As of a producer that is not idempotent."""
    batch = DefaultRecordBatch(RecordBatch(as_records([Message(b"k", b"v")]), TIME_MS)._build())
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (-1, -1, -1)
    assert batch.first_timestamp == batch.max_timestamp == TIME_MS


def test_a_name_that_is_not_utf_8_goes_through_as_it_came():
    """Byte for byte: it is read with `surrogateescape`."""
    (byte,) = {record(None, None, [("\udcff", None)])[-2:-1]}
    assert byte == b"\xff"
