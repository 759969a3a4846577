"""The stream detector against one that takes a reading at a time, and what must not make a difference."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import load
from models.calibration import held
from models.missing import fill
from models.scaling import Scaler
from models.stream import Batch, StreamDetector, to_batch
from models.thresholds import Quantile
from models.windows import cut
from schemas.decoding import Decoded, Row
from tests import fakes, naive, tiny_release
from tests.models.streams import (
    SECOND,
    START,
    Stream,
    batch_of,
    briefly,
    cuts,
    run,
    same,
    steady,
    streams,
)


@given(streams(), cuts)
def test_equals_one_reading_at_a_time(stream: Stream, cuts: list[int]):
    """Windows, times, imputed features, scores, thresholds and flags are those of the slow, obvious way."""
    expected, _ = naive.observe(stream.detector, stream.readings)
    same(run(StreamDetector(stream.detector), stream.readings, cuts), expected)


@briefly
@given(streams())
def test_counts_what_became_of_each_reading(stream: Stream):
    """Late, duplicate, gap, warm-up, imputed: as counted one at a time."""
    windows, expected = naive.observe(stream.detector, stream.readings)
    counts = vars(StreamDetector(stream.detector).observe(batch_of(stream.readings)).counts)
    assert counts.pop("windows") == len(windows)
    assert counts == {name: expected[name] for name in counts}


@briefly
@given(streams(), cuts, cuts)
def test_batches_make_no_difference(stream: Stream, cuts: list[int], other: list[int]):
    """However the readings are cut into batches, not a bit of what comes out changes."""
    one, another = (run(StreamDetector(stream.detector), stream.readings, each) for each in (cuts, other))
    assert one == another


@briefly
@given(streams(), cuts)
def test_other_series_make_no_difference(stream: Stream, cuts: list[int]):
    """A series alone has the windows that it has among others, to the last bit."""
    together = run(StreamDetector(stream.detector), stream.readings, cuts)
    for name in "abc":
        alone = run(StreamDetector(stream.detector), [each for each in stream.readings if each[0] == name])
        assert [each[1:] for each in alone] == [each[1:] for each in together if each[1] == name]


@briefly
@given(streams(), st.integers(0, 48))
def test_a_snapshot_restored_anywhere_changes_nothing(stream: Stream, place: int):
    """Stop after any reading, pack, unpack in a new process, go on: the same as never having stopped."""
    before, after = stream.readings[:place], stream.readings[place:]
    going_on = StreamDetector(stream.detector)
    run(going_on, before)
    taken_over = StreamDetector(stream.detector)
    taken_over.restore(going_on.snapshot(["c", "a"]))
    taken_over.restore(going_on.snapshot(["b", "never seen"]))
    assert taken_over.series() == going_on.series()
    assert run(taken_over, after) == run(going_on, after)
    assert taken_over.snapshot("abc") == going_on.snapshot("abc")


@briefly
@given(streams(), cuts)
def test_replay_leaves_the_same_state(stream: Stream, cuts: list[int]):
    """Readings whose flags are out already change the state as they did the first time."""
    observing, replaying = StreamDetector(stream.detector), StreamDetector(stream.detector)
    run(observing, stream.readings, cuts)
    replaying.replay(batch_of(stream.readings))
    assert replaying.snapshot("abc") == observing.snapshot("abc")


@briefly
@given(streams())
def test_the_order_of_features_makes_no_difference(stream: Stream):
    """A detector whose features stand the other way round finds the same, feature by feature."""
    detector = stream.detector
    scaler = Scaler(detector.scaler.mean[::-1], detector.scaler.scale[::-1])
    turned = replace(detector, features=detector.features[::-1], scaler=scaler)
    got = StreamDetector(turned).observe(batch_of([(name, time, each[::-1]) for name, time, each in stream.readings]))
    expected = StreamDetector(detector).observe(batch_of(stream.readings))
    np.testing.assert_array_equal(got.imputed, expected.imputed[:, ::-1])
    np.testing.assert_array_equal(got.scored.windows, expected.scored.windows[:, :, ::-1])
    np.testing.assert_allclose(got.scores, expected.scores, rtol=1e-9)


@briefly
@given(st.lists(st.sampled_from([8.0, 10.0, 30.0, np.nan]), min_size=1, max_size=40), st.sampled_from([0.0, 0.5, 0.9]))
def test_a_stream_equals_whole_arrays(column: list[float], hold: float):
    """What training does with whole arrays - fill, scale, cut, score, hold - gives the scores of the stream."""
    detector = fakes.detector(hold=hold, threshold=Quantile(0.01))
    rows = np.array([[value, 11.0] for value in column])
    filled = fill(rows, np.zeros(len(rows), np.int32), detector.hold_limit, detector.scaler.mean)
    windows = cut(detector.scaler.transform(filled), detector.window)
    times = START + np.arange(len(rows)) * SECOND
    observed = StreamDetector(detector).observe(Batch(["a"] * len(rows), times, rows, times))
    np.testing.assert_array_equal(observed.scored.windows, windows)
    np.testing.assert_array_equal(observed.moments, cut(times[:, None], detector.window)[:, :, 0])
    combined = detector.score(windows).combined
    scores = detector.scale(held(combined, np.zeros(len(windows), np.int64), hold))
    np.testing.assert_allclose(observed.scores, scores, rtol=1e-12)


def test_the_first_window_ends_with_the_fourth_row():
    """Windows of four, a new one with every row.

    row      0 1 2 3 4 5
             ~~~~~~~
               ~~~~~~~
                 ~~~~~~~
    """
    observed = StreamDetector(fakes.detector()).observe(batch_of(steady(6)))
    assert observed.rows.tolist() == [3, 4, 5]
    assert (observed.starts - START).tolist() == [0, SECOND, 2 * SECOND]
    assert (observed.ends - START).tolist() == [3 * SECOND, 4 * SECOND, 5 * SECOND]


def test_the_stride_counts_from_the_first_window():
    """Windows of four, a new one with every third row, and its phase outlives the batch.

    row      0 1 2 3 4 5 6 7 8 9
             ~~~~~~~     |
                   ~~~~~~~
                         ~~~~~~~
    """
    stream = StreamDetector(fakes.detector(stride=3))
    assert [row for row, *_ in run(stream, steady(10), [5])] == [3, 6, 9]
    assert [row for row, *_ in run(stream, steady(3, first=10))] == [2]


def test_late_and_duplicate_readings_are_dropped():
    """Equal to the newest time is a duplicate, older is late; neither moves the window.

    time     0 1 2 2 1 3        of these 2 and 1 are dropped
             ~~~~~     ~
    """
    readings = [steady(1, first=time)[0] for time in (0, 1, 2, 2, 1, 3)]
    observed = StreamDetector(fakes.detector()).observe(batch_of(readings))
    assert observed.rows.tolist() == [5]
    assert ((observed.moments - START) // SECOND).tolist() == [[0, 1, 2, 3]]
    assert (observed.counts.late, observed.counts.duplicates) == (1, 1)


def test_a_gap_restarts_the_window():
    """A pause of exactly the limit goes on; a microsecond more begins anew, and the threshold stays.

    time     0 1 2 12 13 | 23.000001 ...
             ~~~~~~~~      ~~~~~~~~~~~~~
               ~~~~~~~~
    """
    stream = StreamDetector(fakes.detector())
    observed = stream.observe(batch_of(steady(3) + steady(2, first=12)))
    assert observed.rows.tolist() == [3, 4]
    later = [("a", time + 1, values) for _, time, values in steady(4, first=23)]
    observed = stream.observe(batch_of(later))
    assert observed.rows.tolist() == [3]
    assert (observed.counts.gaps, observed.counts.warm_ups) == (1, 1)
    assert observed.thresholds[0] < 1


def test_a_missing_value_is_held_then_is_the_mean():
    """Held for two rows, then 0 in scaled units, until there is a value again; named while it is in the window.

    flow     14  -  -  -  12          windows     14 14 14  0        imputed
    scaled    2  2  2  0   1                         14 14  0 12     imputed
    """
    flow = [14.0, np.nan, np.nan, np.nan, 12.0, 12.0, 12.0, 12.0]
    observed = StreamDetector(fakes.detector()).observe(
        batch_of([("a", START + k * SECOND, [value, 11.0]) for k, value in enumerate(flow)])
    )
    flows = [list(window) for window in observed.scored.windows[:, :, 0]]
    assert flows == [[2, 2, 2, 0], [2, 2, 0, 1], [2, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]]
    assert observed.imputed.tolist() == [[True, False]] * 4 + [[False, False]]
    assert observed.counts.imputed_values == 3


def test_a_hold_does_not_reach_over_a_gap():
    """A high error fades by a tenth with each window, and is forgotten at a restart."""
    stream = StreamDetector(fakes.detector(hold=0.9, threshold=Quantile(0.01)))
    observed = stream.observe(batch_of([*steady(3), *steady(1, first=3, value=30.0), *steady(8, first=4)]))
    held_scores = observed.scores[5:] + 0.5
    np.testing.assert_allclose(held_scores[1:] / held_scores[:-1], 0.9)
    assert stream.observe(batch_of(steady(4, first=100))).scores.tolist() == [-0.5]


def test_a_stale_series_is_named_once():
    """After ten late or duplicate readings in a row, in whatever batches; again only after it was heard of anew."""
    stream = StreamDetector(fakes.detector())
    stream.observe(batch_of([*steady(5), *steady(5, "b")]))
    again = [stream.observe(batch_of([steady(5)[k % 5], *steady(1, "b", first=5 + k)])) for k in range(30)]
    assert [observed.stale for observed in again] == [[]] * 9 + [["a"]] + [[]] * 20
    stream.observe(batch_of(steady(1, first=50)))
    assert stream.observe(batch_of(steady(25))).stale == ["a"]


def test_nothing_in_nothing_out():
    """An empty batch is no error, to a new detector or a used one."""
    stream = StreamDetector(fakes.detector())
    for _ in range(2):
        observed = stream.observe(batch_of([]))
        assert observed.moments.shape == (0, 4)
        assert observed.model_scores.shape == (0, 2)
        assert len(stream.flags(observed, everything=True)) == 0
        stream.replay(batch_of([]))
        stream.observe(batch_of(steady(5)))


def test_a_batch_is_made_of_readings():
    """Columns by the detector's features; values it does not know are counted."""
    rows: list[Row] = [{"temp": 1.0, "noise": 3.0}, {"flow": 9.0}, {"flow": 2.0}]
    indices = np.array([0, 2, 3])
    decoded = Decoded(["a", "c", "b"], ["pumps", "fans", "pumps"], np.array([1, 9, 2]), rows, indices, [], 1)
    batch, unknown = to_batch(decoded, np.array([0, 2]), np.array([3, 0, 9, 4]), ("flow", "temp"))
    assert list(batch.series) == ["a", "b"]
    assert (batch.times.tolist(), batch.seen.tolist()) == ([1, 2], [3, 4])
    np.testing.assert_array_equal(batch.values, [[np.nan, 1], [2, np.nan]])
    assert unknown == 1


def test_real_networks_find_the_same_in_any_batches():
    """With trained networks what comes out is the same within rounding, and the same windows are flagged."""
    detector = load(tiny_release.release_files("pumps")[1])
    random = np.random.default_rng(1)
    raw = detector.scaler.inverse(random.normal(size=(300, len(detector.features))) * random.choice([1, 8], (300, 1)))
    times = START + np.arange(300) // 3 * detector.interval_us
    batch = Batch(["a", "b", "c"] * 100, times, raw, times)
    whole = StreamDetector(detector).observe(batch)
    stream, parts = StreamDetector(detector), []
    for begin, end in pairwise([0, 1, 50, 51, 200, 300]):
        cut_out = slice(begin, end)
        parts.append(stream.observe(Batch(batch.series[cut_out], times[cut_out], raw[cut_out], times[cut_out])))
    scores = np.concatenate([part.scores for part in parts])
    np.testing.assert_allclose(scores, whole.scores, rtol=1e-5, atol=1e-5)
    clear = np.abs(whole.scores - whole.thresholds) > 1e-3
    assert 0 < whole.is_anomaly.sum() < clear.sum()
    flagged = np.concatenate([part.is_anomaly for part in parts])
    np.testing.assert_array_equal(flagged[clear], whole.is_anomaly[clear])
