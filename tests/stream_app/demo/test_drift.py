"""The parts of the demo of drift; end to end they are in tests/end_to_end/test_drift_alerts.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from stream_app.demo.command import demo
from stream_app.demo.drift import faster
from stream_app.demo.drift.shifted import BEGINS, ENDS, SENSOR, SHIFT, shifted
from stream_app.demo.plant import DAY


@pytest.mark.parametrize(
    ("text", "quick"),
    [
        ("for: 5m", "for: 2500ms"),
        ("rate(x[10m])", "rate(x[5000ms])"),
        ("y[1d:5m] offset 1h", "y[720000ms:2500ms] offset 30000ms"),
        ("scrape_interval: 15s", "scrape_interval: 125ms"),
        (
            "3 * std + 1e-6 and the 95th of p95 at 127.0.0.1:6066",
            "3 * std + 1e-6 and the 95th of p95 at 127.0.0.1:6066",
        ),
    ],
)
def test_durations_are_shorter_and_nothing_else_changes(text: str, quick: str):
    """In rules and settings alike."""
    assert faster.hastened(text, 120) == quick


def test_the_hastened_files_keep_every_rule(tmp_path: Path):
    """The same alerts, elsewhere and sooner."""
    faster.write(tmp_path, 90, "worker:1", "alertmanager:2", "http://hook/")
    for name in faster.RULES:
        assert (tmp_path / name).read_text().count("expr:") == (faster.FILES / name).read_text().count("expr:")
    assert "worker:1" in (tmp_path / faster.PROMETHEUS).read_text()
    assert (tmp_path / faster.ALERTMANAGER).read_text().count("http://hook/") == 2


def test_one_sensor_shifts_for_a_part_of_the_day_and_no_other_does(tmp_path: Path):
    """The history is as healthy as the rest of the day."""
    scene = shifted(7, tmp_path)
    history, live = pd.read_csv(scene.history), pd.read_csv(scene.live)
    assert len(live) == scene.readings
    minute = live.groupby("series_id").cumcount()
    during = minute.between(round(BEGINS * DAY), round(ENDS * DAY) - 1)
    sensors = history.select_dtypes("number").columns
    away = (live[sensors] - history[sensors].mean()) / history[sensors].std()
    assert scene.shift == pytest.approx(SHIFT * history[SENSOR].std(), rel=0.01)
    assert away.loc[during, SENSOR].mean() == pytest.approx(SHIFT, abs=1.5)
    assert np.abs(away.loc[~during].mean()).max() < 1.5
    assert np.abs(away.loc[during].mean().drop(SENSOR)).max() < 1.5


def test_drift_is_of_the_plant_alone():
    """A file of one's own has no sensor that the demo could shift."""
    told = CliRunner().invoke(demo, ["--drift", "--data", "machine.csv"])
    assert told.exit_code == 2
    assert "leave out --data" in told.output
