"""Flags: every word of them, and that they are the same however the windows came."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import msgspec
import numpy as np
import pytest

from models.flags import timestamps
from models.stream import Batch, Observed, StreamDetector
from schemas.flag import window_id, window_ids
from tests import fakes
from tests.sent import parsed

SECOND = 1_000_000
START = 1_788_000_000 * SECOND + 250_000


def observed(stream: StreamDetector, flow: list[float], series: str = "pump-7") -> Observed:
    """What a detector finds in readings a second apart."""
    times = START + np.arange(len(flow)) * SECOND
    values = np.array([[value, 11.0] for value in flow])
    return stream.observe(Batch([series] * len(flow), times, values, times))


def test_a_flag_says_it_all():
    """Whose window, when, how bad, by whose measure, and which feature is to blame for which value."""
    stream = StreamDetector(fakes.detector())
    (flag,) = parsed(stream.flags(observed(stream, [10.0, 10.0, 21.2, 10.0]), everything=False))
    assert msgspec.to_builtins(flag) == {
        "id": window_id("pumps", "pump-7", START + 3 * SECOND),
        "dataset": "pumps",
        "series_id": "pump-7",
        "window_start": "2026-08-29T10:40:00.250000Z",
        "timestamp": "2026-08-29T10:40:03.250000Z",
        "score": pytest.approx((5.6**2 / 8 + 5.6**2 / 16) / 2 - 0.5),
        "threshold": 1.0,
        "is_anomaly": True,
        "flag": 1,
        "release": "20260101T000000Z-000001",
        "model_scores": {
            "narrow_ae": pytest.approx(5.6**2 / 8 - 0.5),
            "wide_ae": pytest.approx(5.6**2 / 16 - 0.5),
        },
        "attribution": [
            {"feature": "flow", "share": 1.0, "actual": 21.2, "expected": 10.0, "at": "2026-08-29T10:40:02.250000Z"},
            {"feature": "temp", "share": 0.0, "actual": 11.0, "expected": 11.0, "at": "2026-08-29T10:40:00.250000Z"},
        ],
        "imputed": [],
    }


def test_all_windows_on_demand_and_only_flagged_ones_with_blame():
    """`everything` adds the calm windows, in their order, and does not change the others."""
    stream = StreamDetector(fakes.detector())
    found = observed(stream, [10.0] * 6 + [21.2] + [10.0] * 5)
    everything, flagged = (parsed(stream.flags(found, everything=which)) for which in (True, False))
    assert [flag.timestamp for flag in everything] == timestamps(found.ends)
    assert [flag for flag in everything if flag.is_anomaly] == flagged
    assert 0 < len(flagged) < len(everything)
    assert all(bool(flag.attribution) == flag.is_anomaly == bool(flag.flag) for flag in everything)


def test_the_most_blamed_feature_comes_first_and_shares_sum_to_1():
    """Two features off, the second more."""
    stream = StreamDetector(fakes.detector())
    times = START + np.arange(4) * SECOND
    found = stream.observe(Batch(["a"] * 4, times, np.array([[16.0, 26.0]] * 4), times))
    (flag,) = parsed(stream.flags(found, everything=False))
    assert [part.feature for part in flag.attribution] == ["temp", "flow"]
    assert sum(part.share for part in flag.attribution) == pytest.approx(1)


def test_imputed_features_are_named():
    """Only in windows that have one, only those features, calm or not."""
    stream = StreamDetector(fakes.detector())
    flags = parsed(stream.flags(observed(stream, [np.nan, 10, 10, 10, 10, 21.2]), everything=True))
    assert [flag.imputed for flag in flags] == [["flow"], [], []]


def test_an_id_is_a_digest_of_dataset_series_and_end():
    """Each part has its length before it, so that no two windows can be written alike."""
    parts = b"\0\0\0\x05pumps" + b"\0\0\0\x06p\xc3\xbcmp1" + b"\0\0\0\x08" + (-7).to_bytes(8, "big", signed=True)
    assert window_id("pumps", "pümp1", -7) == sha256(parts).hexdigest()[:32]
    assert window_id("a", "bc", 1) != window_id("ab", "c", 1)


def test_many_ids_are_the_ids_of_each():
    """At once or one by one."""
    series, ends = ["a", "b", "a", "ü" * 256], np.array([0, 2**62, -(2**62), START])
    assert window_ids("pumps", series, ends) == [
        window_id("pumps", name, end) for name, end in zip(series, ends.tolist(), strict=True)
    ]
    assert window_ids("pumps", [], np.zeros(0, np.int64)) == []


def test_timestamps_are_exact_and_alike():
    """Six decimals always, from the year 1 to 9999, in any order and repeated."""
    times = np.array([START, 0, -62_135_596_800_000_000, 253_402_300_799_999_999, START + 1, 0])
    assert timestamps(times) == [
        "2026-08-29T10:40:00.250000Z",
        "1970-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-08-29T10:40:00.250001Z",
        "1970-01-01T00:00:00.000000Z",
    ]


@pytest.mark.parametrize("name", ["pump-7", 'p"%b%%\\', "pümp\n\0", "{}%(x)s"])
def test_a_flag_is_the_json_that_its_words_would_make(name: str):
    """To the byte, whatever dataset, series and features are called, with and without blame and imputed features."""
    detector = fakes.detector(dataset=name, release=name, features=(name, "temp"))
    stream = StreamDetector(detector)
    found = observed(stream, [np.nan, 10.0, 10.0, 10.0, 10.0, 21.2, 10.0, 10.0], series=name)
    flags = stream.flags(found, everything=True)
    assert [msgspec.json.encode(flag) for flag in parsed(flags)] == flags.values
    assert {flag.series_id for flag in parsed(flags)} == {name} == set(flags.series)
    assert [(flag.id, flag.timestamp) for flag in parsed(flags)] == list(zip(flags.ids, flags.timestamps, strict=True))
    assert (
        {bool(flag.imputed) for flag in parsed(flags)}
        == {bool(flag.attribution) for flag in parsed(flags)}
        == {
            True,
            False,
        }
    )
    assert len(flags) == 5


def test_a_score_that_is_no_number_is_null():
    """JSON has no infinity; a reader must not be lost for it."""
    stream = StreamDetector(fakes.detector())
    found = replace(observed(stream, [10.0] * 4), scores=np.array([np.inf]))
    (value,) = stream.flags(found, everything=True).values
    assert b'"score":null,"threshold":1.0,' in value
