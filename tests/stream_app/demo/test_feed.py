"""From records to the board: latencies by the records' times, scores in units of their thresholds."""

from __future__ import annotations

from schemas.flag import Attribution, Flag
from stream_app.demo.feed import RecordTimes, to_verdict
from stream_app.demo.summary import Pace, Verdict

BLAMED = [Attribution(name, share, 1.0, 0.0, "2025-03-10T00:00:00Z") for name, share in (("flow", 0.2), ("level", 0.8))]
FLAG = Flag(
    id="0" * 32,
    dataset="plant",
    series_id="pump-1",
    window_start="1970-01-01T00:00:00Z",
    timestamp="1970-01-01T00:00:02.5Z",
    score=3.0,
    threshold=1.5,
    is_anomaly=True,
    flag=1,
    release="release",
    model_scores={"cnn_ae": 3.0},
    attribution=BLAMED,
    imputed=[],
)


def test_a_flag_as_a_verdict() -> None:
    """Its score in thresholds, its time in microseconds, its features by their share."""
    assert to_verdict(FLAG) == Verdict("pump-1", 2_500_000, 2.0, True, ("level", "flow"))


def test_latency_is_from_the_readings_record_to_the_flags() -> None:
    """Whichever of the two is seen first; doubles do not count again, nor does what has no flag."""
    times = RecordTimes()
    times.reading("a", 1, 1000)
    times.flag("a", 1, 1010)
    times.flag("a", 2, 2030)
    times.reading("a", 2, 2000)
    times.reading("a", 3, 3000)
    times.flag("a", 1, 9000)
    assert times.pace() == Pace(3, 2.0, 20.0, 29.8)


def test_before_anything_came() -> None:
    """There is no pace yet."""
    assert RecordTimes().pace() == Pace(0, 0.0, None, None)
