from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import sets
from benchmarks.accuracy.comparison import Task, judge, summary
from benchmarks.accuracy.judging import NAIVE, OURS, decide, ours
from benchmarks.accuracy.trained import detector, stream
from models.thresholds import FlagBudget
from tests import naive
from tests.benchmarks.labelled_folder import EVENT, TEST, make_nab, make_parted, make_skab

QUICK = ("training.epochs=2", "networks.lstm_ae=null", "networks.gru_ae=null")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three sets of one series each."""
    root = tmp_path_factory.mktemp("data")
    make_parted(root / "asd", "host")
    make_skab(root / "skab", "1")
    make_nab(root / "nab", "cpu", 1200, 800, 840)
    return root


@pytest.fixture(scope="module")
def series(folder):
    """One that is long enough for the default window."""
    return sets.read(folder, "asd", sets.find(folder, "asd")[0])


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where trained networks are kept."""
    return tmp_path_factory.mktemp("kept")


def test_every_test_row_is_judged_and_the_event_found(series, kept):
    """The stream begins a window before the test part, so its first row has a score already."""
    judged = ours(series, QUICK, kept)[OURS]
    assert judged.scores.shape == judged.flags.shape == (TEST,)
    assert judged.flags[EVENT[0] : EVENT[1]].mean() > 0.9
    assert judged.window == 32


def test_no_score_looks_ahead(series, kept):
    """Rows after a row leave its score as it was."""
    fitted, rows = detector(series, QUICK, kept), np.concatenate([series.train, series.test])
    changed = rows.copy()
    changed[-100:] += 5
    before, after = (stream(fitted, each, TEST).scores for each in (rows, changed))
    np.testing.assert_allclose(before[:-100], after[:-100], rtol=1e-5)
    assert (before[-100:] != after[-100:]).all()


def test_kept_networks_are_used_again(series, tmp_path):
    """For the same config, for another threshold, and for fewer networks; not for another training."""
    detector(series, ("training.epochs=1",), tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    detector(series, ("training.epochs=1", "threshold.method=quantile", "networks.lstm_ae=null"), tmp_path)
    assert [each.stat().st_mtime_ns for each in tmp_path.iterdir()] == [written]
    detector(series, ("training.epochs=1", "training.seed=8"), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_window_too_long_for_the_train_part_is_halved(folder, kept):
    """SKAB's 400 rows have no room for 32-row windows in every part."""
    series = sets.read(folder, "skab", sets.find(folder, "skab")[0])
    assert detector(series, QUICK, kept).window == 16


def test_a_bar_is_flagged_by_the_budget():
    """Its scores go onto the scale of ours, where 1 is the quantile of normal scores, and the threshold adapts."""
    normal, scores = np.random.default_rng(1).gamma(2, 1, (2, 500))
    verdict = decide(normal, scores)
    level = np.quantile(normal, 0.99, method="higher")
    scaled = (scores - np.median(normal)) / (level - np.median(normal))
    np.testing.assert_allclose(verdict.scores, scaled)
    expected = naive.flag_budget(scaled.tolist(), FlagBudget(0.01).rate)
    assert verdict.flags.tolist() == [flag for _, flag in expected]


def test_a_series_is_judged_by_all(folder, kept):
    """Ours, its networks, the naive ensemble and the bars stand in one table; ablations in another."""
    (file,) = sets.find(folder, "nab")
    result = judge(Task(folder, "nab", file, ("training.epochs=1",), ablate=True, kept=kept))
    content = summary([result])
    names = [OURS, "lstm_ae", "gru_ae", "cnn_ae", "var", "level", NAIVE, "EWMA of z", "windowed PCA", "ridge VAR"]
    assert list(content["means"]) == names
    assert "without hold" in content["ablations"]
    assert content["nab"][OURS]["standard"]["optimised"] <= 100
    assert content["by_series"]["real/cpu"]["window"] == result.window


@pytest.mark.slow
def test_the_command_writes_its_figures(folder, tmp_path):
    """Two processes, two sets, a JSON file that holds every set."""
    output = tmp_path / "accuracy.json"
    command = [sys.executable, "-m", "benchmarks.accuracy", "--data", str(folder), "--sets", "asd,skab", "--jobs", "2"]
    changes = [word for change in QUICK for word in ("--set", change)]
    ended = subprocess.run(
        [*command, *changes, "--output", str(output)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    written = json.loads(output.read_text())
    assert list(written["sets"]) == ["asd", "skab"]
    assert written["overrides"] == list(QUICK)
