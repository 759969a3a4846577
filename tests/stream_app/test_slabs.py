from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.slabs import FORMAT, MARKER_KEY, Marker, Record, Slab, UnreadableError, bucket, decode, encode

BUCKETS = [2_208_551_859, 4_258_903_317, 2_782_737_783]
offsets = st.integers(0, 2**63 - 1)
counts = st.integers(1, 65_536)


@st.composite
def slabs(draw: st.DrawFn) -> Slab:
    """Any slab."""
    count = draw(counts)
    states = draw(st.lists(st.tuples(st.text(), st.binary())))
    return Slab(count, draw(st.integers(0, count - 1)), draw(offsets), draw(offsets), states)


@st.composite
def markers(draw: st.DrawFn) -> Marker:
    """Any marker."""
    count, start = draw(counts), draw(offsets)
    covers = draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, start), max_size=20))
    return Marker(count, draw(offsets), start, draw(offsets), covers)


@given(slabs() | markers())
def test_what_is_written_is_read(content: Slab | Marker) -> None:
    """Slabs and markers survive the state topic."""
    assert decode(*encode(content)) == content


@given(st.none() | st.binary(), st.none() | st.binary())
def test_garbage_is_unreadable_and_nothing_worse(key: bytes | None, value: bytes | None) -> None:
    """No bytes in the state topic raise anything but UnreadableError."""
    with pytest.raises(UnreadableError):
        decode(key, value)


@given(slabs() | markers(), st.data())
def test_one_wrong_bit_is_noticed(content: Slab | Marker, data: st.DataObject) -> None:
    """A record with one bit flipped, wherever it is, is unreadable."""
    key, value = encode(content)
    at, bit = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 7))
    with pytest.raises(UnreadableError):
        decode(key, value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :])


@given(slabs() | markers(), st.data())
def test_half_a_record_is_noticed(content: Slab | Marker, data: st.DataObject) -> None:
    """A record that ends early, or late, is unreadable."""
    key, value = encode(content)
    cut = value[: data.draw(st.integers(0, len(value) - 1))]
    for wrong in (cut, value + b"\0"):
        with pytest.raises(UnreadableError):
            decode(key, wrong)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record(MARKER_KEY, encode(Slab(4, 1, 9, 50, [])).value), "the key says b'marker', the body b'slab/4/1'"),
        (Record(b"slab/4/1", bytes([FORMAT + 1]) + encode(Slab(4, 1, 9, 50, [])).value[1:]), "format 2 is unknown"),
        (encode(Slab(4, 4, 9, 50, [])), "not below the 4 slabs"),
        (encode(Marker(4, 9, 50, 0, {4: 10})), "not below the 4 slabs"),
        (encode(Marker(4, 9, 50, 0, {1: 51})), "more than its start 50"),
        (encode(Marker(4, 9, -1, 0, {})), "neither slab nor marker"),
    ],
)
def test_what_contradicts_itself_is_unreadable(record: Record, reason: str) -> None:
    """A record whose parts do not agree is refused, and the reason says which."""
    with pytest.raises(UnreadableError, match=reason):
        decode(*record)


def test_a_bucket_never_changes() -> None:
    """Two versions of the worker must agree on who is in a slab: these figures are written on disks out there."""
    assert [bucket("pumps", "pump-7"), bucket("default", "a"), bucket("öfen", "é")] == BUCKETS


def test_dataset_and_series_do_not_run_together() -> None:
    """The same letters cut elsewhere are another series."""
    assert bucket("ab", "c") != bucket("a", "bc")
    assert bucket("a", "1:b") != bucket("a1:", "b")
