"""Drift as real workers tell it, from readings on a real Kafka to /metrics and the terminal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from monitoring.metrics import samples
from tests.end_to_end.rig import tidewatch
from tests.kafka_fixture import KafkaAtHand, Record
from tests.stream_app.test_worker import SERIES, Bench, readings
from tests.tiny_release import publish
from tests.watchers import needs_promtool
from tests.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka


@pytest.fixture
def bench(kafka: KafkaAtHand, tmp_path: Path) -> Bench:
    """Everything a worker needs."""
    return Bench(kafka, tmp_path)


def told(worker: WorkerProcess) -> dict[tuple[str, ...], float]:
    """Every sample of drift, by name, release and feature."""
    return {
        (name, labels["release"], *([labels["feature"]] if "feature" in labels else [])): value
        for name, labels, value in samples(worker.answer("/metrics")[1])
        if "release" in labels and not {"bin", "le"} & labels.keys()
    }


def seen(*workers: WorkerProcess) -> float:
    """Readings that they have counted in all."""
    return sum(worker.metric("drift_readings") for worker in workers)


def flow(records: Sequence[Record]) -> list[float]:
    """What was sent of one feature."""
    return [json.loads(value or b"")["values"]["flow"] for _, value in records]


def test_live_figures_are_those_of_the_readings_and_begin_anew_with_a_release(bench: Bench):
    """Too few at first, then what was sent; after a promotion the old release's figures are gone."""
    first = publish(bench.store, "pumps")
    sent = readings(60)
    with bench.worker(store__poll_seconds=0.3) as worker:
        worker.wait_ready()
        bench.kafka.send(bench.topic, sent[:50])
        worker.wait_until(lambda: seen(worker) == 50)
        assert ("feature_mean_ref", first, "flow") in told(worker)
        assert ("feature_mean_live", first, "flow") not in told(worker)
        bench.kafka.send(bench.topic, sent[50:])
        worker.wait_until(lambda: seen(worker) == len(sent))
        figures = told(worker)
        assert figures["feature_mean_live", first, "flow"] == pytest.approx(np.mean(flow(sent)))
        assert figures["feature_std_live", first, "flow"] == pytest.approx(np.std(flow(sent)))
        assert figures["tidewatch_drift_windows", first] == worker.metric("windows_scored_total")
        assert figures["flag_rate_live", first] * figures["tidewatch_drift_windows", first] == pytest.approx(
            worker.metric("flags_total")
        )
        second = publish(bench.store, "pumps", seed=1)
        worker.wait_until(lambda: ("feature_mean_ref", second, "flow") in told(worker))
        assert {release for _, release, *_ in told(worker)} == {second}
        assert seen(worker) == 0
        later = readings(20, start=60)
        bench.kafka.send(bench.topic, later)
        worker.wait_until(lambda: seen(worker) == len(later))
        assert told(worker)["feature_mean_live", second, "flow"] == pytest.approx(np.mean(flow(later)))


def test_partitions_that_move_count_once_and_workers_add_up(bench: Bench):
    """A second worker takes over some: what the first one counted stays there, and `tidewatch drift` adds both up."""
    publish(bench.store, "pumps")
    before, after = readings(60), readings(60, start=60)
    with bench.worker(state__checkpoint_seconds=1) as one, bench.worker("other", state__checkpoint_seconds=1) as other:
        one.wait_ready()
        other.wait_ready()
        bench.kafka.send(bench.topic, before)
        one.wait_until(lambda: seen(one, other) == len(before))
        assert other.stop() == 0
        one.wait_until(lambda: one.metric("assigned_partitions") == 4)
        counted = seen(one)
        other.start()
        other.wait_until(lambda: other.metric("assigned_partitions") > 0)
        bench.kafka.send(bench.topic, after)
        one.wait_until(lambda: seen(one, other) == counted + len(after))
        urls = [word for worker in (one, other) for word in ("--url", f"http://127.0.0.1:{worker.port}")]
        (report,) = json.loads(tidewatch("drift", "--json", *urls, environment={}))
        assert report["readings"] == counted + len(after)
        assert {feature["feature"] for feature in report["features"]} == {"flow", "temp"}


@needs_promtool
def test_promtool_finds_nothing_to_say(bench: Bench):
    """Of the whole page of a worker that has something to tell: names, help and types are as Prometheus wants them."""
    publish(bench.store, "pumps")
    with bench.worker() as worker:
        worker.wait_ready()
        bench.kafka.send(bench.topic, readings(60))
        worker.wait_until(lambda: seen(worker) == 60 * SERIES)
        page = worker.answer("/metrics")[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
