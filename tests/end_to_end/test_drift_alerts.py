"""Drift, from a reading on Kafka to a webhook: a real worker, a real Prometheus, a real Alertmanager."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from stream_app.demo.drift.picture import draw
from stream_app.demo.drift.timeline import Timeline, called
from stream_app.outgoing import Message
from tests.end_to_end.rig import Rig, train
from tests.kafka_fixture import KafkaAtHand
from tests.watchers import FASTER, Watchers, needed, wait_until, watching

pytestmark = [pytest.mark.kafka, needed]

FEATURES = ("flow", "pressure", "temp")
START = datetime(2026, 1, 1, tzinfo=UTC)
SHIFT = 8.0  # standard deviations
RATE = 200.0  # readings a second
HORIZON_SECONDS = 1800 / FASTER
EXPECTED = {
    ("TidewatchFeatureMean", "temp"),
    ("TidewatchErrorMedian", ""),
    ("TidewatchErrorP95", ""),
    ("TidewatchAnomalyRateHigh", ""),
}
LIVE, REFERENCE = (
    f"last_over_time(tidewatch:feature_mean:{which}[3s])" for which in ("live", "ref")
)  # a scrape may fail


@dataclass
class Line:
    """A machine that sends for as long as it runs."""

    shift: float = 0.0
    running: bool = True

    def messages(self) -> Iterator[Message]:
        """Readings a second apart, of normal noise but for the shift of one feature."""
        for second, row in enumerate(noise(seed=2)):
            if not self.running:
                return
            values = dict(zip(FEATURES, (row + np.array([0, 0, self.shift])).tolist(), strict=True))
            reading = {"series_id": "line-1", "timestamp": START + timedelta(seconds=second), "values": values}
            yield Message(b"line-1", msgspec.json.encode(reading | {"dataset": "line"}))


def noise(seed: int, rows: int = 100_000) -> NDArray[np.float64]:
    """Three features with something in common, (row, feature), each of deviation 1."""
    random = np.random.default_rng(seed)
    common, own = random.normal(size=(rows, 1)), random.normal(size=(rows, 3))
    rows_of_noise: NDArray[np.float64] = np.sqrt(0.5) * (common + own)
    return rows_of_noise


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of the line."""
    folder = tmp_path_factory.mktemp("line")
    rows = [",".join(f"{value:.6f}" for value in row) for row in noise(seed=1, rows=4000)]
    (folder / "line.csv").write_text("\n".join([",".join(FEATURES), *rows]))
    train("line", folder / "line.csv", folder / "store")
    return folder / "store"


def test_a_feature_that_shifts_is_told_to_the_webhook_and_so_is_its_return(
    kafka: KafkaAtHand, store: Path, tmp_path: Path
):
    """Its gauge leaves the reference and the others stay; what follows from it fires, nothing else ever does."""
    rig, line = Rig(kafka, tmp_path, store), Line()
    with rig.worker(drift__horizon_seconds=HORIZON_SECONDS) as worker:
        worker.wait_ready()
        with watching(tmp_path, f"127.0.0.1:{worker.port}") as watchers, rig.sending(line.messages(), RATE):
            try:
                drifts_and_returns(line, watchers, tmp_path / "drift.png")
            finally:
                line.running = False


def drifts_and_returns(line: Line, watchers: Watchers, picture: Path) -> None:
    """Normal for half a horizon, shifted until all of the horizon is, and normal again."""
    began = time.time()
    ever: set[tuple[str, str]] = set()

    def live_readings(enough: float) -> bool:
        ever.update(watchers.prometheus.firing())
        return sum(value for _, value in watchers.prometheus.query("tidewatch:drift_readings:sum")) >= enough

    def share_shifted() -> float:
        ever.update(watchers.prometheus.firing())
        return watchers.prometheus.by("feature", LIVE)["temp"] / SHIFT

    wait_until(lambda: live_readings(RATE * HORIZON_SECONDS / 2), "half a horizon of readings")
    assert ever == set()
    line.shift = SHIFT
    wait_until(lambda: share_shifted() > 0.97, "a horizon that is shifted")
    wait_until(
        lambda: watchers.prometheus.firing() >= EXPECTED,
        f"{EXPECTED}, of which there are {watchers.prometheus.firing()}",
    )
    moved = watchers.prometheus.by("feature", f"abs({LIVE} - {REFERENCE})")
    assert moved["temp"] == pytest.approx(SHIFT, abs=0.5)
    assert max(moved["flow"], moved["pressure"]) < 0.2
    wait_until(lambda: watchers.told("firing") >= {name for name, _ in EXPECTED}, "the webhook's call")
    assert {f"alert    firing   {called(alert)}" for alert in EXPECTED} <= {*Timeline(*watchers.both, "temp").news(0)}
    line.shift = 0.0
    wait_until(lambda: share_shifted() < 0.03 and not watchers.prometheus.firing(), "all alerts to end")
    wait_until(lambda: watchers.told("resolved") >= {name for name, _ in EXPECTED}, "the webhook's second call")
    assert ever <= EXPECTED
    draw(watchers.prometheus, began, time.time(), "temp", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert watchers.told("firing") == {name for name, _ in EXPECTED}
