"""The worst events: which they are, and what is told of them."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from models.batch import Batch
from models.stream import StreamDetector
from schemas.evaluation import Events
from schemas.training import TrainingConfig
from tests import fakes
from tests.training.conftest import Trained
from training import candidate, worst
from training.judging import Judged
from training.table import SeriesTable, Table, load
from training.truth import Truth


@pytest.fixture(scope="module")
def told(trained: Trained) -> Events:
    """What the stage left."""
    return msgspec.json.decode(trained.artifacts.events.read_bytes(), type=Events)


def test_the_worst_come_first(trained: Trained, told: Events):
    """Each has the highest score and the number of its own flagged windows, as the results have them."""
    results = pq.read_table(trained.artifacts.results("windows")).to_pandas()
    flagged = results[results["is_anomaly"]]
    assert [event.score for event in told.events] == sorted((event.score for event in told.events), reverse=True)
    assert told.events[0].score == flagged["score"].max()
    for event in told.events:
        own = flagged[flagged["series_id"] == event.series_id].set_index("timestamp").loc[event.start : event.end]
        assert (len(own), own["score"].max()) == (event.windows, event.score)
        assert event.label == own["label"].any()
        assert own["score"].idxmax().isoformat()[:19] == event.peak[:19]


def test_rows_are_as_the_worker_would_blame_them(trained: Trained, told: Events):
    """At each feature's worst row, actual and expected are those of the flag's attribution."""
    detector, truth = candidate.load(trained.artifacts), Truth(load(trained.artifacts), trained.config)
    stream = StreamDetector(detector)
    section = truth.test_part.table.series[0]
    observed = stream.observe(Batch([section.name] * len(section.times), section.times, section.values, section.times))
    flags = {flag["timestamp"]: flag for flag in map(msgspec.json.decode, stream.flags(observed, False).values)}
    event = next(one for one in told.events if one.series_id == truth.table.series[0].name and one.peak in flags)
    assert event.attribution[0].feature == "level"
    for mine, theirs in zip(event.attribution, flags[event.peak]["attribution"], strict=True):
        assert (mine.feature, mine.at) == (theirs["feature"], theirs["at"])
        assert (mine.share, mine.expected) == pytest.approx((theirs["share"], theirs["expected"]), rel=1e-3)
        row = event.timestamps.index(mine.at)
        assert event.expected[mine.feature][row] == mine.expected
        assert event.actual[mine.feature][row] in {None, mine.actual}


def scene(rows: int = 40, pause_at: int | None = None) -> Truth:
    """One series of a reading a second, of which the last fifteenth is the test part; a row has its number as value."""
    times = np.arange(rows) * 1_000_000
    times[pause_at:] += 3_600_000_000 * (pause_at is not None)
    values = np.column_stack([np.arange(rows, dtype=float), np.full(rows, np.nan)])
    table = Table(("flow", "temp"), (SeriesTable("a", times, values, None),), 1, (), None, "", None, None, ())
    split = {"train": 0.1, "validation": 0.1, "calibration": 0.1}
    return Truth(table, TrainingConfig.model_validate({"window": {"size": 4}, "split": split}))


def flagged_at(*rows: int) -> Judged:
    """Windows that end at these rows, all of them flagged, the last the worst."""
    scores = np.arange(1.0, len(rows) + 1)
    return Judged(
        np.array(rows), scores, np.ones(len(rows)), np.ones(len(rows), bool), np.stack([scores, scores], axis=1)
    )


def test_windows_side_by_side():
    """Three windows of four rows, the worst in the middle; a value that is missing was expected all the same."""
    told = worst.events(scene(), flagged_at(29, 30), fakes.detector()).events
    assert len(told) == 1
    assert (told[0].windows, told[0].label) == (2, None)
    assert (told[0].start, told[0].end, told[0].peak) == tuple(
        f"1970-01-01T00:00:{second}.000000Z" for second in (29, 30, 30)
    )
    assert told[0].actual == {"flow": [float(row) for row in range(23, 35)], "temp": [None] * 12}
    assert told[0].expected == {"flow": [10.0] * 12, "temp": [11.0] * 12}


def test_at_the_ends_and_beside_a_pause_nothing_is_made_up():
    """No window lies over a pause, before the test part, or after the last row."""
    last = worst.events(scene(), flagged_at(39), fakes.detector()).events[0]
    assert (last.actual["flow"][-1], len(last.timestamps)) == (39.0, 8)
    paused = worst.events(scene(pause_at=25), flagged_at(30), fakes.detector()).events[0]
    assert paused.expected["flow"] == [None] * 4 + [10.0] * 8
    first = scene().test_part.numbers[0]
    early = worst.events(scene(), flagged_at(first + 3), fakes.detector()).events[0]
    assert early.actual["flow"] == [float(row) for row in range(first, first + 8)]


def test_runs_share_rows():
    """Two flags less than a window apart are of one run; without a flag there is none; the worst eight are kept."""
    assert [event.windows for event in worst.events(scene(), flagged_at(20, 23, 27), fakes.detector()).events] == [1, 2]
    assert worst.events(scene(), flagged_at(), fakes.detector()).events == []
    many = worst.events(scene(400), flagged_at(*range(200, 300, 10)), fakes.detector()).events
    assert [event.score for event in many] == [10, 9, 8, 7, 6, 5, 4, 3]
