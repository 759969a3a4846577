"""Evaluation: on windows that fitted nothing, with the scores that the worker would give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.batch import Batch
from models.stream import StreamDetector
from tests import fakes
from tests.training.conftest import Trained
from training import candidate, ingest, loader
from training.artifacts import read_json
from training.evaluate import Judged, agreement, flag_rate, held_out, judge
from training.split import labels_of, parts_of
from training.table import SeriesTable, Table, load


def test_whole_arrays_and_the_stream_score_the_same(trained: Trained):
    """The windows on disk, scored at once, have the scores that reading by reading gives."""
    detector, table = candidate.load(trained.artifacts), load(trained.artifacts)
    judged = judge(detector, table)
    scores = dict(zip(judged.row.tolist(), judged.score.tolist(), strict=True))
    for part in ("train", "validation", "calibration", "test"):
        windows = loader.load(trained.artifacts, part, detector.window)
        at_once = detector.scale(detector.score(windows.take(np.arange(len(windows)))).combined)
        first = np.load(trained.artifacts.timestamps(loader.FILES[part]))["first"]
        streamed = [scores[end] for end in (first + detector.window - 1).tolist()]
        np.testing.assert_allclose(streamed, at_once, rtol=1e-5, atol=1e-5)


def last(series: SeriesTable, rows: int) -> SeriesTable:
    """The end of a series."""
    return SeriesTable(series.name, series.times[-rows:], series.values[-rows:], None)


def test_flags_are_those_of_one_reading_at_a_time(trained: Trained):
    """Judging by chunks over all series is judging each series by itself, reading by reading."""
    detector, whole = candidate.load(trained.artifacts), load(trained.artifacts)
    table = replace(whole, series=tuple(last(series, 100) for series in whole.series))
    judged = judge(detector, table)
    rows, flagged = [], []
    for number, series in enumerate(table.series):
        stream, offset = StreamDetector(detector), sum(len(other.times) for other in table.series[:number])
        for row in range(len(series.times)):
            one = slice(row, row + 1)
            observed = stream.observe(Batch([series.name], series.times[one], series.values[one], series.times[one]))
            rows += [offset + row] * len(observed.rows)
            flagged += observed.is_anomaly.tolist()
    assert judged.row.tolist() == rows
    assert judged.is_anomaly.tolist() == flagged


def test_no_window_that_fitted_is_judged(trained: Trained):
    """What counts is the test part, and windows with a labelled anomaly, which were left out of fitting."""
    table = load(trained.artifacts)
    size = trained.config.window.size
    judged = judge(trained.outcome.detector, table)
    parts = [parts_of(labels_of(series), size, trained.config.split) for series in table.series]
    kept = set((judged.where(held_out(table, parts, judged, size)).row - size + 1).tolist())
    for part in ("train", "validation", "calibration"):
        fitted = np.load(trained.artifacts.timestamps(loader.FILES[part]))["first"]
        assert not kept & set(fitted.tolist())
    assert kept >= set(np.load(trained.artifacts.timestamps("test"))["first"].tolist())


def hand_made() -> tuple[Table, Judged]:
    """Ten readings of one series, two events; windows of four end at rows 3 to 9."""
    labels = np.array([0, 0, 0, 0, 1, 1, 0, 0, 1, 0], bool)
    series = SeriesTable("pump", np.arange(10), np.zeros((10, 2)), labels)
    table = Table(("flow", "temp"), (series,), 1, (), None, "", None, "label", ())
    score = np.array([0.1, 0.9, 0.3, 0.8, 0.2, 0.4, 0.0])
    flagged = np.array([0, 1, 0, 1, 0, 0, 0], bool)
    return table, Judged(np.arange(3, 10), score, np.ones(7), flagged, np.column_stack([score, -score]))


def test_figures_with_labels_by_hand():
    """Truth 0 1 1 0 0 1 0 with scores .1 .9 .3 .8 .2 .4 0: sorted by score it reads 1 0 1 1 0 0 0."""
    table, judged = hand_made()
    figures = agreement(table, judged, fakes.detector())
    assert figures is not None
    assert (figures.windows, figures.anomalous) == (7, 3)
    assert figures.auc_pr == pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 3)
    assert figures.best_f1 == pytest.approx(2 * 0.75 / 1.75)
    assert (figures.events, figures.events_found) == (2, 1)
    assert figures.auc_pr_by_network["narrow_ae"] == figures.auc_pr
    assert figures.auc_pr_by_network["wide_ae"] < figures.auc_pr


def test_without_two_kinds_of_labels_there_are_no_figures():
    """Nothing can be said if all that is left is normal."""
    table, judged = hand_made()
    assert agreement(table, judged.where(np.array([0])), fakes.detector()) is None


def test_the_flag_rate_is_of_normal_windows(trained: Trained):
    """Windows that hold a labelled anomaly do not count: of those that end at rows 3 to 9, only that at 3 is left."""
    table, judged = hand_made()
    config = trained.config.model_copy(update={"window": trained.config.window.model_copy(update={"size": 4})})
    rate = flag_rate(table, judged, config)
    assert (rate.windows, rate.flagged, rate.measured) == (1, 0, 0.0)
    stained = judged.where(np.arange(1, 7))
    assert flag_rate(table, stained, config).measured is None


def test_what_the_stage_leaves(trained: Trained):
    """Metrics, and the score behind every figure."""
    metrics = read_json(trained.artifacts.metrics)
    test = pq.read_table(trained.artifacts.results("test"))
    assert test.column_names[-2:] == ["lstm_ae", "cnn_ae"]
    windows = np.load(trained.artifacts.timestamps("test"))
    assert test.num_rows == len(windows)
    rate = metrics["flag_rate"]
    assert rate["promised"] == trained.config.threshold.rate
    assert rate["measured"] == rate["flagged"] / rate["windows"]
    labelled = pq.read_table(trained.artifacts.results("labelled"))
    assert metrics["labelled"]["windows"] == labelled.num_rows
    assert metrics["labelled"]["events"] == 4
    assert metrics["labelled"]["auc_pr"] > 0.5


def test_evaluation_changes_no_candidate(trained: Trained):
    """What is published is what was evaluated, byte for byte."""
    (published,) = trained.store.releases("plant")
    assert trained.store.fetch(*published) == candidate.files(trained.artifacts)
    assert ingest.read(trained.file).features == trained.outcome.detector.features
