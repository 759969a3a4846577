"""What /predict says of readings is what a real worker says of them on a real Kafka: scores, flags and drift."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from monitoring.metrics import samples
from schemas.flag import Flag
from tests.kafka_fixture import KafkaAtHand
from tests.stream_app.admin.service import Json, served, settings
from tests.stream_app.test_worker import SERIES, START_MS, Bench, flags, reading
from tests.tiny_release import WINDOW, publish

pytestmark = pytest.mark.kafka

ROWS = 60


def drift(page: str) -> dict[tuple[str, ...], float]:
    """Every sample of drift, by name and labels."""
    return {
        (name, *sorted(labels.values())): value
        for name, labels, value in samples(page)
        if "release" in labels and name != "tidewatch_release_info"
    }


def test_predictions_are_the_workers_flags(kafka: KafkaAtHand, tmp_path: Path):
    """Each series asked for at once with the others: the same windows, scores, verdicts and blame; the same drift."""
    bench = Bench(kafka, tmp_path)
    publish(bench.store, "pumps")
    values = np.round(np.random.default_rng(8).normal(size=(SERIES, ROWS, 2)), 4)
    values[:, 40] = 9.0
    names = [f"pump-{number}" for number in range(SERIES)]
    with bench.worker() as worker:
        worker.wait_ready()
        sent = [
            reading(name, moment, "pumps", *own[moment].tolist())
            for moment in range(ROWS)
            for name, own in zip(names, values, strict=True)
        ]
        kafka.send(bench.topic, sent)
        worker.wait_until(lambda: worker.metric("drift_readings") == len(sent))
        theirs = flags(kafka.read(bench.anomalies))
        their_drift = drift(worker.answer("/metrics")[1])
    with served(settings(tmp_path)) as client:

        def ask(number: int) -> Json:
            times = [START_MS + 1000 * row for row in range(ROWS)]
            body = {"dataset": "pumps", "data": values[number].tolist(), "timestamps": times}
            answer = client.post("/predict", json={**body, "series_id": names[number], "attribution": True})
            told: Json = answer.json()
            return told

        with ThreadPoolExecutor(SERIES) as pool:
            answers = list(pool.map(ask, range(SERIES)))
        our_drift = drift(client.get("/metrics").text)
    for name, told in zip(names, answers, strict=True):
        check(told, sorted((flag for flag in theirs.values() if flag.series_id == name), key=lambda one: one.timestamp))
    assert our_drift == pytest.approx(their_drift, rel=1e-5, abs=1e-9)
    assert any(name.endswith("_live") for name, *_ in our_drift)


def check(told: Json, theirs: list[Flag]) -> None:
    """An answer against the worker's flags of a series, in order of time, of every window."""
    assert len(theirs) == ROWS - WINDOW + 1
    assert told["scores"] == pytest.approx([flag.score for flag in theirs], rel=1e-5, abs=1e-5)
    assert told["thresholds"] == pytest.approx([flag.threshold for flag in theirs], rel=1e-5, abs=1e-5)
    assert told["anomalies"] == [flag.flag for flag in theirs]
    assert told["timestamps"] == [flag.timestamp for flag in theirs]
    blamed = [flag for flag in theirs if flag.is_anomaly]
    assert blamed
    assert [flag["id"] for flag in told["flags"]] == [flag.id for flag in blamed]
    for ours, flag in zip(told["flags"], blamed, strict=True):
        for mine, other in zip(ours["attribution"], flag.attribution, strict=True):
            assert mine["feature"] == other.feature
            assert mine["share"] == pytest.approx(other.share, abs=1e-4)
