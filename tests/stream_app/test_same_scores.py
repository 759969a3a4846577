"""For every switch of the config the same rows get the same scores, whoever asks: arrays, stream, evaluation, score.

The worker and `tidewatch score` stream readings through the same core, in chunks; evaluation streams whole sections;
calibration, which sets the scale of scores, works on whole arrays. Each detector goes through its files before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from models import bundle, windows
from models.calibration import held
from models.detector import Detector
from models.missing import fill
from models.stream import StreamDetector
from schemas.flag import Flag
from schemas.training import TrainingConfig
from stream_app.score import Outcome, judged
from tests import tiny_release
from training.judging import Section, judge
from training.scan import scan
from training.split import segments_of
from training.table import SeriesTable, Table

SMALL = {"hidden": 3, "latent": 2}
PLAIN: dict[str, Any] = {
    "window": {"size": 8},
    "missing": {"hold_limit": 2},
    "networks": {
        "lstm_ae": {**SMALL, "rows": 4, "judged": 2, "linear": 0.8},
        "gru_ae": {**SMALL, "rows": 6, "judged": 3, "linear": 0.8},
        "cnn_ae": {**SMALL, "layers": 2, "judged": 3, "linear": 0.8},
    },
    "autoregression": {"judged": 4},
    "level": {"rows": 5},
}
MEMBERS = tuple(PLAIN["networks"])


def without(name: str) -> dict[str, Any]:
    """The networks but for one."""
    return {"networks": {other: size for other, size in PLAIN["networks"].items() if other != name}}


def each_network(**keys: Any) -> dict[str, Any]:
    """All networks with other keys."""
    return {"networks": {name: {**size, **keys} for name, size in PLAIN["networks"].items()}}


SWITCHES: dict[str, dict[str, Any]] = {
    "default": {},
    **{f"combine {rule}": {"ensemble": {"combine": rule}} for rule in ("mean", "median", "max", "weighted", "vote")},
    "weights": {"ensemble": {"weights": {"gru_ae": 0.5, "var": 0.0}}},
    **{f"no {name}": without(name) for name in MEMBERS},
    "no var": {"autoregression": {"use": False}},
    "no level": {"level": {"use": False}},
    "level of whole windows": {"level": {"rows": 0, "weight": 3.0}},
    "lags": {"autoregression": {"lags": 1, "judged": 2, "ridge": 10.0, "weight": 1.0}},
    "whole windows": each_network(rows=0),
    "all rows judged": each_network(judged=0),
    "no linear path": each_network(linear=0.0),
    "no hold": {"ensemble": {"hold": 0.0}},
    "no hold, no memory": {"ensemble": {"hold": 0.0}, "threshold": {"method": "quantile"}},
    "feature floor": {"ensemble": {"feature_floor": 0.1}},
    **{f"threshold {name}": {"threshold": {"method": name}} for name in ("quantile", "k_sigma", "pot", "budget")},
    "rate": {"threshold": {"rate": 0.2}},
    "stride": {"window": {"size": 8, "stride": 3}},
    "window": {"window": {"size": 11}},
    "nothing held": {"missing": {"hold_limit": 0}},
    "short gaps": {"gap": {"factor": 1.5}},
    "clip": {"scaling": {"clip": 0.5}},
}
FEATURES, SECOND = 2, 1_000_000


def detector_of(changes: dict[str, Any]) -> Detector:
    """As a worker loads it."""
    config = TrainingConfig.model_validate({**PLAIN, **changes})
    made = tiny_release.detector_of(config, "plant", "20260829T101500Z-3f2a91")
    return bundle.load(bundle.pack(made, config, "test", "2026-08-29T10:15:00Z"))


def readings() -> Table:
    """Two series with values missing, a spell of something else, and pauses: 2 seconds, and longer than any gap."""
    random, series = np.random.default_rng(3), []
    for name in ("a", "b"):
        values = random.normal(size=(70, FEATURES))
        values[40:45] += 4
        values[random.random(values.shape) < 0.15] = np.nan
        steps = np.where(np.arange(70) == 20, 30, np.where(np.arange(70) == 55, 2, 1))
        series.append(SeriesTable(name, np.cumsum(steps) * SECOND, values, None))
    files, columns = (Path("plant.csv"),), ("time", "epoch", "machine", None)
    return Table(tiny_release.FEATURES, tuple(series), SECOND, files, *columns, notes=())


Found = dict[tuple[str, int], tuple[float, float, bool]]  # score, threshold, is_anomaly by series and end


def in_arrays(detector: Detector, table: Table) -> Found:
    """Whole series at once, by what training and calibration are made of; only thresholds go window by window."""
    found: Found = {}
    for series in table.series:
        segments = segments_of([series], detector.gap_us)
        filled = fill(series.values, segments, detector.hold_limit, detector.scaler.mean)
        scaled = detector.scaler.transform(filled)
        rows = [rows for rows in _stretches(segments) if len(rows) >= detector.window]
        parts = [windows.cut(scaled[part], detector.window, detector.stride) for part in rows]
        ends = np.concatenate([part[detector.window - 1 :: detector.stride] for part in rows])
        stretches = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        combined = detector.score(np.concatenate(parts)).combined
        scores = detector.scale(held(combined, stretches, detector.hold))
        state = detector.threshold.start(1)
        for end, score in zip(ends.tolist(), scores, strict=True):
            (threshold,), (flagged,) = detector.threshold.decide(np.array([score]), state)
            found[series.name, int(series.times[end])] = float(score), float(threshold), bool(flagged)
    return found


def _stretches(segments: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    yield from np.split(np.arange(len(segments)), np.flatnonzero(np.diff(segments)) + 1)


def in_chunks(detector: Detector, table: Table, chunk: int) -> Found:
    """A stream, so many readings at once."""
    found: Found = {}
    for observed in scan(StreamDetector(detector), table, chunk):
        names = [observed.batch.series[row] for row in observed.rows.tolist()]
        verdicts = zip(observed.scores, observed.thresholds, observed.is_anomaly, strict=True)
        found |= dict(zip(zip(names, observed.ends.tolist(), strict=True), verdicts, strict=True))
    return found


def in_evaluation(detector: Detector, table: Table) -> Found:
    """The section of the whole table."""
    result, _ = judge(StreamDetector(detector), Section.whole(table))
    keys = [(series.name, int(time)) for series in table.series for time in series.times]
    verdicts = zip(result.row.tolist(), result.score, result.threshold, result.is_anomaly, strict=True)
    return {keys[row]: (float(score), float(threshold), bool(flagged)) for row, score, threshold, flagged in verdicts}


def in_score(detector: Detector, table: Table) -> Found:
    """The lines of `tidewatch score --all`."""
    lines = [line for flags in judged(Outcome(detector, table), everything=True) for line in flags.values]
    flags = [msgspec.json.decode(line, type=Flag) for line in lines]
    ends = [int(np.datetime64(flag.timestamp.removesuffix("Z"), "us").astype(np.int64)) for flag in flags]
    return {
        (flag.series_id, end): (flag.score, flag.threshold, flag.is_anomaly)
        for flag, end in zip(flags, ends, strict=True)
    }


def check_same(found: Found, expected: Found) -> None:
    """The same windows; scores and thresholds but for rounding, verdicts where that leaves no doubt."""
    assert found.keys() == expected.keys()
    for key, (score, threshold, flagged) in expected.items():
        assert found[key][:2] == pytest.approx((score, threshold), rel=1e-5, abs=1e-5)
        assert found[key][2] == flagged or abs(score - threshold) < 1e-4


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_same_rows_get_the_same_scores(switch: str):
    """However they are cut, and by whichever way they come."""
    detector, table = detector_of(SWITCHES[switch]), readings()
    expected = in_arrays(detector, table)
    assert len(expected) > 20
    for chunk in (13, 141):
        check_same(in_chunks(detector, table, chunk), expected)
    check_same(in_evaluation(detector, table), expected)
    check_same(in_score(detector, table), expected)


def test_every_switch_switches_something():
    """All but those that spell the default out have scores, thresholds or windows of their own."""
    table = readings()
    default = in_arrays(detector_of({}), table)
    same = {name for name, changes in SWITCHES.items() if in_arrays(detector_of(changes), table) == default}
    assert same == {"default", "combine weighted", "threshold budget"}
