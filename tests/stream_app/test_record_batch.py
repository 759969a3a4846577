"""Record batches of ours: aiokafka builds and reads the same."""

from __future__ import annotations

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import example, given
from hypothesis import strategies as st

from stream_app.outgoing import Message
from stream_app.record_batch import RecordBatch, fitting, record
from tests.sent import TIME_MS, messages

parts = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=20), parts), max_size=4)
some = st.lists(st.builds(Message, parts, parts, headers), min_size=1, max_size=70)
LARGE = Message(bytes(64), bytes(2**21), [("é" * 64, bytes(8192)), ("", b""), ("nothing", None)])


def records(of: list[Message]) -> list[bytes]:
    """As bytes."""
    return [record(message.key, message.value, message.headers) for message in of]


@given(of=some, producer=st.tuples(st.integers(0, 2**62), st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1)))
@example(of=[LARGE] * 3, producer=(7, 1, 2**31 - 1))
def test_a_batch_is_byte_for_byte_what_aiokafka_builds(of: list[Message], producer: tuple[int, int, int]):
    """Keys, values and headers of any size, or none; with a producer's state, as set when it is sent."""
    theirs = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 2**30)
    for place, message in enumerate(of):
        theirs.append(place, TIME_MS, message.key, message.value, message.headers)
    theirs.set_producer_state(*producer)
    ours = RecordBatch(records(of), TIME_MS)
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
    assert messages(records(of)) == of


@given(of=some, size=st.integers(100, 3000))
def test_a_batch_of_what_fits_is_no_larger(of: list[Message], size: int):
    """Unless the first record alone is; and not one more would surely fit."""
    ready = records(of)
    count = fitting(ready, size)
    assert count == 1 or RecordBatch(ready[:count], TIME_MS).size() <= size
    assert count == len(ready) or RecordBatch(ready[: count + 1], TIME_MS).size() + 12 * (count + 1) > size


def test_a_batch_without_a_producer_has_none():
    """As of a producer that is not idempotent."""
    batch = DefaultRecordBatch(RecordBatch([record(b"k", b"v", [])], TIME_MS)._build())
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (-1, -1, -1)
    assert batch.first_timestamp == batch.max_timestamp == TIME_MS


def test_a_name_that_is_not_utf_8_goes_through_as_it_came():
    """Byte for byte: it is read with `surrogateescape`."""
    (byte,) = {record(None, None, [("\udcff", None)])[-2:-1]}
    assert byte == b"\xff"
