"""Evaluation: on windows that fitted nothing, with the scores that the worker would give."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from models.batch import Batch
from models.stream import StreamDetector
from schemas.evaluation import Evaluation
from schemas.training import TrainingConfig
from tests.training.conftest import Trained
from training import candidate, ingest, loader
from training.evaluate import Figures
from training.judging import Judged, Section, judge
from training.table import SeriesTable, Table, load
from training.truth import Truth


def test_whole_arrays_and_the_stream_score_the_same(trained: Trained):
    """The windows on disk, scored at once, have the scores that reading by reading gives."""
    detector, table = replace(candidate.load(trained.artifacts), hold=0), load(trained.artifacts)
    judged, _ = judge(StreamDetector(detector), Section.whole(table))
    scores = dict(zip(judged.row.tolist(), judged.score.tolist(), strict=True))
    for part in ("train", "validation", "calibration", "test"):
        windows = loader.load(trained.artifacts, part, detector.window)
        at_once = detector.scale(detector.score(windows.take(np.arange(len(windows)))).combined)
        first = np.load(trained.artifacts.timestamps(loader.FILES[part]))["first"]
        streamed = [scores[end] for end in (first + detector.window - 1).tolist()]
        np.testing.assert_allclose(streamed, at_once, rtol=1e-5, atol=1e-5)


def test_flags_are_those_of_one_reading_at_a_time(trained: Trained):
    """Judging by chunks over all series is judging each series by itself, reading by reading."""
    detector, table = candidate.load(trained.artifacts), load(trained.artifacts)
    stops = np.cumsum([len(series.times) for series in table.series])
    section = Section.of(table, stops - 100, stops)
    judged, _ = judge(StreamDetector(detector), section)
    rows, flagged = [], []
    for end, series in zip(stops.tolist(), section.table.series, strict=True):
        stream = StreamDetector(detector)
        for row in range(100):
            one = slice(row, row + 1)
            observed = stream.observe(Batch([series.name], series.times[one], series.values[one], series.times[one]))
            rows += [end - 100 + row] * len(observed.rows)
            flagged += observed.is_anomaly.tolist()
    assert judged.row.tolist() == rows
    assert judged.is_anomaly.tolist() == flagged


def test_no_window_that_fitted_is_judged(trained: Trained):
    """What counts is the test part, and windows with a labelled anomaly, which were left out of fitting."""
    size = trained.config.window.size
    results = pq.read_table(trained.artifacts.results("windows"))
    table = load(trained.artifacts)
    numbers = {
        (series.name, time): row + offset
        for series, offset in zip(table.series, Truth(table, trained.config).bounds.tolist(), strict=False)
        for row, time in enumerate(series.times.tolist())
    }
    times = results["timestamp"].cast("int64").to_pylist()
    judged = {numbers[key] - size + 1 for key in zip(results["series_id"].to_pylist(), times, strict=True)}
    assert len(judged) == len(results)
    for part in ("fitting", "train", "validation", "calibration"):
        fitted = np.load(trained.artifacts.timestamps(loader.FILES[part]))["first"]
        assert not judged & set(fitted.tolist())
    assert judged >= set(np.load(trained.artifacts.timestamps("test"))["first"].tolist())


def test_later_readings_change_no_earlier_verdict(trained: Trained):
    """The same windows have the same scores and flags, whatever comes after them."""
    detector, table = candidate.load(trained.artifacts), load(trained.artifacts)
    before = 300
    changed = [replace(series, values=series.values.copy()) for series in table.series]
    for series in changed:
        series.values[before:] *= -50
    one, other = (
        judge(StreamDetector(detector), Section.whole(each))[0]
        for each in (table, replace(table, series=tuple(changed)))
    )
    early = one.row % len(table.series[0].times) < before
    np.testing.assert_array_equal(one.where(early).is_anomaly, other.where(early).is_anomaly)
    np.testing.assert_allclose(one.where(early).score, other.where(early).score, rtol=1e-5, atol=1e-6)
    assert not np.allclose(one.score, other.score)


def hand_made() -> tuple[Truth, Judged]:
    """A series with labels, of which the last 10 of 40 readings are the test part, and one without; windows of four.

    Of the first, the windows that end at rows 33 to 39 are judged, and 12 to 15, which hold the anomaly of row 12.
    """
    labels = np.zeros(40, bool)
    labels[[12, 34, 35, 38]] = True
    series = [
        SeriesTable(name, np.arange(40), np.zeros((40, 2)), known) for name, known in (("a", labels), ("b", None))
    ]
    table = Table(("flow", "temp"), tuple(series), 1, (), None, "", None, "label", ())
    config = TrainingConfig.model_validate(
        {"window": {"size": 4}, "split": {"train": 0.4, "validation": 0.1, "calibration": 0.14}}
    )
    rows = np.array([12, 13, 14, 15, 33, 34, 35, 36, 37, 38, 39, 75])
    score = np.array([0.9, 0.1, 0.0, 0.0, 0.1, 0.9, 0.3, 0.8, 0.2, 0.4, 0.0, 2.0])
    flagged = np.isin(rows, [13, 34, 36, 75])
    return Truth(table, config), Judged(rows, score, np.ones(12), flagged, np.column_stack([score, -score]))


def test_sections_hold_what_fitted_nothing():
    """The test part; and before it all rows on which a window may hold an anomaly, and those that lead to them."""
    truth, _ = hand_made()
    first = truth.test_part.numbers[0]
    assert first <= 33
    assert truth.test_part.numbers.tolist() == [*range(first, 40), *range(truth.test_part.numbers[40 - first], 80)]
    assert truth.before.numbers.tolist() == list(range(16))
    assert [len(series.times) for series in truth.before.table.series] == [16]
    assert truth.stained(np.arange(3, 40)).nonzero()[0].tolist() == [9, 10, 11, 12, *range(31, 37)]


def test_anomalies_far_apart_are_judged_in_pieces(monkeypatch):
    """Each is led to by so many rows as are given, two that are near by the same; a piece ends with its series."""
    monkeypatch.setattr("training.truth.LEAD", 10)
    labels = np.zeros(400, bool)
    labels[[5, 50, 55, 56, 199]] = True
    series = tuple(
        SeriesTable(name, np.arange(200), np.zeros((200, 1)), part)
        for name, part in zip("ab", np.split(labels, 2), strict=True)
    )
    truth = Truth(
        Table(("flow",), series, 1, (), None, "", None, None, ()),
        TrainingConfig.model_validate({"window": {"size": 4}}),
    )
    assert truth.before.numbers.tolist() == [*range(9), *range(40, 60)]
    assert [len(series.times) for series in truth.before.table.series] == [9, 20]
    none = replace(truth, table=replace(truth.table, series=truth.table.series[1:]))
    assert len(none.before.numbers) == 0


def test_figures_by_hand():
    """Counted on paper: in the test part one of three anomalous windows is flagged; before it, no anomalous one is."""
    truth, judged = hand_made()
    figures = Figures(truth, judged, ("one", "other"))
    whole = figures.all
    assert (whole.flag_rate.windows, whole.flag_rate.flagged, whole.flag_rate.measured) == (2, 1, 0.5)
    found = whole.labelled
    assert found is not None
    assert (found.windows, found.windows_before, found.anomalous) == (7, 0, 3)
    assert (found.events, found.events_found, found.event_recall, found.median_delay_rows) == (3, 1, 1 / 3, 0.0)
    assert (found.f1, found.far, found.mar) == pytest.approx((2 / 5, 1 / 4, 2 / 3))
    assert found.auc_pr == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert found.auc_pr_by_network["one"] == found.auc_pr
    assert figures.by_series["a"].labelled == found
    assert figures.by_series["b"].labelled is None
    assert figures.by_series["b"].flag_rate.flagged == 1


def test_a_test_part_without_anomalies_takes_those_before_it():
    """Windows that hold one were left out of fitting: without them nothing could be ranked."""
    truth, judged = hand_made()
    found = Figures(truth, judged.where(np.array([0, 1, 2, 3, 4])), ("one", "other")).all.labelled
    assert found is not None
    assert (found.windows, found.windows_before, found.anomalous) == (5, 4, 1)
    assert found.auc_pr == 1.0


def test_labels_that_all_say_the_same_rank_nothing():
    """What is defined is told, what is not is None."""
    truth, judged = hand_made()
    found = Figures(truth, judged.where(np.array([4])), ("one", "other")).all.labelled
    assert found is not None
    assert (found.vus_pr, found.best_f1, found.event_recall, found.median_delay_rows) == (None, None, None, None)
    assert (found.far, found.events) == (0, 0)
    assert found.auc_pr_by_network == {"one": None, "other": None}


def test_no_window_of_a_part_has_no_rate():
    """Only windows before the test part: nothing was promised of them."""
    truth, judged = hand_made()
    assert Figures(truth, judged.where(slice(4)), ("one", "other")).all.flag_rate.measured is None


def test_what_the_stage_leaves(trained: Trained):
    """Metrics that read back as they were, and the score behind every figure."""
    evaluation = msgspec.json.decode(trained.artifacts.metrics.read_bytes(), type=Evaluation)
    assert evaluation == trained.outcome.evaluation
    results = pq.read_table(trained.artifacts.results("windows"))
    assert results.column_names[-4:] == ["lstm_ae", "cnn_ae", "var", "level"]
    windows = np.load(trained.artifacts.timestamps("test"))
    assert results["part"].to_pylist().count("test") == len(windows)
    rate, labelled = evaluation.flag_rate, evaluation.labelled
    assert rate.promised == trained.config.threshold.rate
    assert rate.measured == rate.flagged / rate.windows
    assert labelled is not None
    assert (labelled.windows, labelled.events) == (len(windows), 4)
    assert labelled.auc_pr is not None
    assert labelled.auc_pr > 0.5


def test_evaluation_changes_no_candidate(trained: Trained):
    """What is published is what was evaluated, byte for byte."""
    (published,) = trained.store.releases("plant")
    assert trained.store.fetch(*published) == candidate.files(trained.artifacts)
    assert ingest.read(trained.file).features == candidate.load(trained.artifacts).features
