"""Decoding: exact about time, strict about values, and unmoved by whatever bytes come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.decoding import Decoded, columns, decode

NOW = 1_788_000_000_000_000  # microseconds
GOOD = b'{"series_id":"pump-7","timestamp":1788000000000,"values":{"temp":71.2,"flow":null}}'


def read(*payloads: bytes | None, now: int = NOW) -> Decoded:
    """Decode a chunk whose records all came `now`."""
    return decode(payloads, np.full(len(payloads), now), 300)


def reading(**changed: object) -> bytes:
    """A good reading with some of its keys changed; `...` takes a key out."""
    keys = json.loads(GOOD) | changed
    return json.dumps({key: value for key, value in keys.items() if value is not ...}).encode()


def with_value(text: str) -> bytes:
    """A reading one of whose values is this text, JSON or not."""
    return b'{"series_id":"a","timestamp":1788000000000,"values":{"flow":1,"temp":%b}}' % text.encode()


def with_time(text: str) -> bytes:
    """A reading whose timestamp is this text, JSON or not."""
    return b'{"series_id":"a","timestamp":%b,"values":{}}' % text.encode()


def test_a_chunk_is_read():
    """Good readings come out in order, with their places and times."""
    decoded = read(GOOD, reading(series_id="pump-8", dataset="pumps", timestamp=1_787_999_999_000))
    assert decoded.series == ["pump-7", "pump-8"]
    assert decoded.datasets == ["default", "pumps"]
    assert decoded.rows == [{"temp": 71.2, "flow": None}] * 2
    assert decoded.indices.tolist() == [0, 1]
    assert decoded.times.tolist() == [NOW, NOW - 1_000_000]
    assert (decoded.rejections, decoded.tombstones) == ([], 0)


def test_a_bad_record_costs_nothing_but_itself():
    """Its neighbours are read, their places are those of the chunk, and tombstones are only counted."""
    decoded = read(GOOD, b"{", None, GOOD, b"", None, GOOD)
    assert decoded.indices.tolist() == [0, 3, 6]
    assert [rejection.index for rejection in decoded.rejections] == [1, 4]
    assert decoded.tombstones == 2


def test_an_empty_chunk_is_read():
    """No records, no readings, arrays of length 0."""
    decoded = read()
    assert (len(decoded), decoded.series, decoded.rows) == (0, [], [])
    assert decoded.times.shape == decoded.indices.shape == (0,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-1", -1000),
        ("1788000000123", 1_788_000_000_123_000),
        ('"2026-08-29T10:00:00.250Z"', 1_787_997_600_250_000),
        ('"2026-08-29T10:00:00.250001Z"', 1_787_997_600_250_001),
        ('"2026-08-29T10:00:00"', 1_787_997_600_000_000),
        ('"2026-08-29T15:30:00+05:30"', 1_787_997_600_000_000),
        ('"2026-08-29T00:00:00-10:00"', 1_787_997_600_000_000),
        ('"0001-01-01T00:00:00Z"', -62_135_596_800_000_000),
        ('"0001-01-01T00:00:00+14:00"', -62_135_596_800_000_000 - 14 * 3_600_000_000),
    ],
)
def test_times_are_exact(text: str, expected: int):
    """Integers are milliseconds; a time without offset is UTC; microseconds survive; year 1 does not overflow."""
    assert read(with_time(text)).times.tolist() == [expected]


@given(
    when=st.datetimes(timezones=st.just(UTC)).filter(lambda when: 1 < when.year < 9999),
    offset=st.none() | st.integers(-1439, 1439),
)
def test_any_time_is_exact(when: datetime, offset: int | None):
    """Every microsecond of every year, at every offset, comes out as it went in."""
    zone = UTC if offset is None else timezone(timedelta(minutes=offset))
    written = when.replace(tzinfo=None if offset is None else zone).isoformat()
    expected = (when.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert read(reading(timestamp=written), now=-1).times.tolist() == [expected]


@pytest.mark.parametrize(
    ("payload", "stage", "said"),
    [
        (b"", "decode", "truncated"),
        (b"\xff\xfe", "decode", "malformed"),
        (b"[1]", "decode", "Expected `object`"),
        (GOOD + b" x", "decode", "trailing"),
        (b'{"series_id":"\xff","timestamp":1,"values":{}}', "decode", "utf-8"),
        (b'{"series_id":"\\ud800","timestamp":1,"values":{}}', "decode", "surrogate"),
        (b'{"a":' * 100_000, "decode", "nested too deeply"),
        (GOOD[:-1] + b',"more":' + b"[" * 100_000, "decode", "nested too deeply"),
        (reading(series_id=...), "decode", "series_id"),
        (reading(series_id=""), "decode", "series_id"),
        (reading(series_id=7), "decode", "series_id"),
        (reading(series_id="x" * 257), "decode", "series_id"),
        (reading(dataset=None), "decode", "dataset"),
        (reading(values=...), "decode", "values"),
        (reading(values=[1]), "decode", "values"),
        (reading(timestamp=...), "time", "timestamp"),
        (reading(timestamp=None), "time", "timestamp"),
        (reading(timestamp="soon"), "time", "timestamp"),
        (reading(timestamp=1.5), "time", "timestamp"),
        (reading(timestamp=True), "time", "timestamp"),
        (with_time("1" + "0" * 400), "time", "timestamp"),
        (with_time('"9999-12-31T23:59:59.9999999Z"'), "time", "timestamp"),
        (with_value("NaN"), "decode", "send null"),
        (with_value("-Infinity"), "decode", "send null"),
        (with_value("true"), "value", "'true' of 'temp'"),
        (with_value('"71.2"'), "value", "of 'temp'"),
        (with_value("[1]"), "value", "'[1]' of 'temp'"),
        (with_value("1e39"), "value", "'1e39' of 'temp'"),
        (with_value("-1e39"), "value", "'-1e39' of 'temp'"),
        (with_value("1e400"), "value", "'1e400' of 'temp'"),
        (with_value("1" + "0" * 400), "value", "of 'temp'"),
    ],
)
def test_what_can_not_be_read_is_rejected(payload: bytes, stage: str, said: str):
    """Each kind of garbage has its stage, and one short line that says what is wrong."""
    (rejection,) = read(payload).rejections
    assert rejection.stage == stage
    assert said in rejection.error
    assert "\n" not in rejection.error
    assert len(rejection.error) < 300


def test_the_limits_of_float32_are_values():
    """The largest float32 of either sign is read; what underflows is 0."""
    decoded = read(with_value("3.4028234663852886e38"), with_value("-3.4028234663852886e38"), with_value("1e-400"))
    assert columns(decoded.rows, ("temp",))[0].ravel().tolist() == [3.4028234663852886e38, -3.4028234663852886e38, 0]


def test_of_a_key_given_twice_the_last_one_counts():
    """As JSON parsers do."""
    twice = read(b'{"series_id":"a","series_id":"b","timestamp":1,"values":{"x":1,"x":2}}')
    assert (twice.series, twice.rows) == (["b"], [{"x": 2}])


def test_a_reading_from_the_future_is_rejected():
    """300 s ahead of its own record is the limit, inclusive; the message says how far ahead it is."""
    decoded = read(b"{", reading(timestamp=1_788_000_300_001), reading(timestamp=1_788_000_300_000), b"}")
    assert decoded.indices.tolist() == [2]
    assert decoded.times.tolist() == [NOW + 300_000_000]
    assert [(each.index, each.stage) for each in decoded.rejections] == [(0, "decode"), (1, "time"), (3, "decode")]
    assert "2026-08-29T10:45:00.001000Z is 300.001 s ahead" in decoded.rejections[1].error


def test_a_record_without_a_time_can_not_tell_the_future():
    """Old producers send -1 for the record's time; nothing is rejected by it."""
    assert len(read(GOOD, now=-1000)) == 1


@given(st.lists(st.none() | st.binary() | st.builds(bytes.__add__, st.just(GOOD[:30]), st.binary()) | st.just(GOOD)))
@example([GOOD + b"\x00"])
def test_no_bytes_stop_it(payloads: list[bytes | None]):
    """Whatever comes is a reading, a rejection or a tombstone, each once, and good readings are always read."""
    decoded = read(*payloads)
    places = sorted([*decoded.indices.tolist(), *(rejection.index for rejection in decoded.rejections)])
    assert places == [place for place, payload in enumerate(payloads) if payload is not None]
    assert decoded.tombstones == payloads.count(None)
    assert {place for place, payload in enumerate(payloads) if payload == GOOD} <= set(decoded.indices.tolist())
    assert len(decoded) == len(decoded.times) == len(decoded.indices)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["series_id", "timestamp", "values", "dataset", "more"]), json_values))
def test_no_json_stops_it(keys: dict[str, object]):
    """Any JSON object, NaN and lone surrogates included, is read or rejected with one line."""
    decoded = read(json.dumps(keys).encode())
    assert len(decoded) + len(decoded.rejections) == 1
    assert all("\n" not in rejection.error for rejection in decoded.rejections)


def test_columns_are_in_the_order_asked_for():
    """Values by feature, whatever order they came in."""
    values, unknown = columns([{"x": 1.0, "y": 2.0}, {"y": 4.0, "x": 3.0}], ("y", "x"))
    np.testing.assert_array_equal(values, [[2, 1], [4, 3]])
    assert unknown == 0


def test_null_and_absent_are_missing_and_other_names_are_counted():
    """Both are NaN, never 0; a value of a name that is no feature is counted, and null is no value."""
    values, unknown = columns([{"x": None, "y": 2.0}, {"z": 1.0, "w": None, "x": 5.0}], ("x", "y"))
    np.testing.assert_array_equal(values, [[np.nan, 2], [5, np.nan]])
    assert unknown == 1


def test_one_feature_is_a_column_too():
    """One name, with the value there, null or absent."""
    for given_values, expected in (([1.0], [[1]]), ([None], [[np.nan]]), ([1.0, 2.0], [[1], [2]])):
        values, unknown = columns([{"x": value, "other": 1.0} for value in given_values], ("x",))
        np.testing.assert_array_equal(values, expected)
        assert unknown == len(given_values)
    assert np.isnan(columns([{}], ("x",))[0]).all()


def test_no_readings_are_no_rows():
    """The shape is right all the same."""
    for features in (("x",), ("x", "y")):
        assert columns([], features)[0].shape == (0, len(features))


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.none() | st.floats(-1e6, 1e6)), max_size=5))
def test_columns_are_what_a_loop_would_pick(rows: list[dict[str, float | None]]):
    """Reading by reading and name by name gives the same array and the same count."""
    values, unknown = columns([*rows], ("c", "a"))
    picked = [[row.get(name) for name in ("c", "a")] for row in rows]
    np.testing.assert_array_equal(values, np.array(picked, np.float64).reshape(-1, 2))
    assert unknown == sum(name not in ("c", "a") and row[name] is not None for row in rows for name in row)


known_readings = st.builds(
    reading,
    series_id=st.sampled_from(["a", "b"]) | st.text(max_size=2),
    timestamp=st.sampled_from([1, "2026-08-29T10:00:00Z", "2026-08-29T10:00:00.5+01:00", "soon"]) | json_values,
    values=st.dictionaries(st.sampled_from(["temp", "flow"]), st.none() | st.integers() | st.floats()),
)


@given(st.lists(known_readings | st.builds(reading, values=json_values) | st.none() | st.just(b"{"), max_size=4))
@example([with_time('"2026\\u002d08-29T10:00:00Z"')])
@example([with_value("1e39")])
@example([GOOD, reading(values={"noise": 1})])
def test_knowing_the_features_changes_nothing(payloads: list[bytes | None]):
    """Whether the readings have them or not: the same readings, values and rejections come out."""
    times = np.full(len(payloads), NOW)
    plain = decode(payloads, times, 300)
    for features in (("temp", "flow"), ("flow", "temp"), ("temp",), ("noise",), ('"', "\\"), ("a", "a")):
        hinted = decode(payloads, times, 300, features)
        assert (hinted.series, hinted.datasets, hinted.rejections) == (plain.series, plain.datasets, plain.rejections)
        assert (hinted.times.tolist(), hinted.indices.tolist()) == (plain.times.tolist(), plain.indices.tolist())
        assert hinted.tombstones == plain.tombstones
        for names in (features, ("flow", "temp", "noise")):
            (values, unknown), (same, as_many) = columns(hinted.rows, names), columns(plain.rows, names)
            np.testing.assert_array_equal(values, same)
            assert unknown == as_many
