"""The comparisons see what they are there to see."""

from __future__ import annotations

import msgspec
import pytest

from schemas.flag import Attribution, Flag, window_id
from tests.end_to_end.agreement import disagreements, disorder, successions

MINUTE_US = 60_000_000


def flag(minute: int, *, series: str = "pump-1", score: float = 0.5, release: str = "first") -> Flag:
    """The window that ends at a minute; an anomaly over 1."""
    time, over = f"2026-01-01T00:{minute:02d}:00Z", score > 1
    blame = [Attribution("flow", 0.75, 3.0, 9.5, time), Attribution("temp", 0.25, 1.0, 1.1, time)] if over else []
    window = window_id("pumps", series, minute * MINUTE_US)
    return Flag(
        window, "pumps", series, time, time, score, 1.0, over, int(over), release, {"gru_ae": score}, blame, ["flow"]
    )


EXPECTED = [flag(minute, series=series) for minute in range(3) for series in ("pump-1", "pump-2")]
EXPECTED += [flag(3, score=5.0), flag(3, series="pump-2", score=1.000001)]


def test_the_same_agrees_with_itself():
    """Twice, and with another series' windows between."""
    assert disagreements(EXPECTED, EXPECTED) == []
    assert disagreements(sorted(EXPECTED, key=lambda each: each.series_id), EXPECTED) == []


def test_a_double_is_no_fault():
    """A worker that reads again publishes again: wherever doubles stand, the first occurrences count."""
    assert disagreements([*EXPECTED, *EXPECTED[2:]], EXPECTED) == []
    assert disagreements([EXPECTED[0], EXPECTED[0], *EXPECTED[1:]], EXPECTED) == []


@pytest.mark.parametrize("place", range(len(EXPECTED)))
def test_a_missing_flag_is_seen(place: int):
    """Whichever it is."""
    assert len(disagreements([*EXPECTED[:place], *EXPECTED[place + 1 :]], EXPECTED)) == 1


def test_a_flag_too_many_is_seen():
    """A window that nobody expects."""
    assert len(disagreements([*EXPECTED, flag(4)], EXPECTED)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"score": 0.50002},
        {"score": float("nan")},
        {"threshold": 1.1},
        {"model_scores": {"gru_ae": 0.51}},
        {"model_scores": {}},
        {"is_anomaly": True},
        {"flag": 1},
        {"score": 2.0, "is_anomaly": True, "flag": 1},
        {"window_start": "2026-01-01T00:00:01Z"},
        {"release": "second"},
        {"imputed": []},
        {"attribution": [Attribution("flow", 1.0, 3.0, 9.5, "2026-01-01T00:00:00Z")]},
    ],
    ids=str,
)
def test_a_changed_flag_is_seen(change: dict[str, object]):
    """Each field, and in a double too."""
    changed = msgspec.structs.replace(EXPECTED[0], **change)
    assert disagreements([changed, *EXPECTED[1:]], EXPECTED)
    assert disagreements([*EXPECTED, changed], EXPECTED)


def test_blame_of_another_feature_is_seen():
    """Shares are compared where there are some."""
    blame = [Attribution("flow", 0.25, 3.0, 9.5, "now"), Attribution("temp", 0.75, 1.0, 1.1, "now")]
    assert len(disagreements([*EXPECTED, msgspec.structs.replace(EXPECTED[-2], attribution=blame)], EXPECTED)) == 1


def test_what_batches_make_of_a_score_is_no_difference():
    """The last digits change, and with them a verdict that hung on them; relative to the score if that is large."""
    nearly = msgspec.structs.replace(EXPECTED[-1], score=0.999999, is_anomaly=False, flag=0, attribution=[])
    assert disagreements([*EXPECTED[:-1], nearly], EXPECTED) == []
    large = flag(5, score=1e6)
    assert disagreements([msgspec.structs.replace(large, score=1e6 + 9, model_scores={"gru_ae": 1e6})], [large]) == []


def test_windows_out_of_order_are_seen():
    """Within a series; between series there is no order."""
    assert len(list(disorder([flag(0), flag(2), flag(1)]))) == 1
    assert len(disagreements([EXPECTED[2], EXPECTED[0], EXPECTED[1], *EXPECTED[3:]], EXPECTED)) == 1
    assert list(disorder([flag(1, series="pump-1"), flag(0, series="pump-2")])) == []


def test_releases_in_succession():
    """What judged each series, by first occurrences; a release that comes back is seen."""
    before, after = flag(0), flag(1, release="second")
    assert successions([before, after, flag(0, release="second")]) == {("first", "second")}
    assert successions([before, after, flag(2)]) == {("first", "second", "first")}
    assert successions([before, after, flag(0, series="pump-2")]) == {("first", "second"), ("first",)}
