"""What every measurement of the worker stands on: a broker on core 1, a trained release, a folder that goes away."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import traffic
from benchmarks.processes import Worker, worker
from stream_app.local_kafka.ports import free_port
from stream_app.local_kafka.server import LocalKafka

WINDOW = 32


@dataclass(frozen=True)
class Scale:
    """How much is measured; the defaults are what the figures in README.md were made with."""

    series: int = 10_000
    scored: int = 20  # windows of each series that are scored
    partitions: int = 8
    repeats: int = 5
    naive_series: int = 200
    naive_windows: int = 3000
    latency_seconds: float = 20


@dataclass(frozen=True)
class Bed:
    """A broker, a store with a release of the plain three networks, and a folder for logs."""

    folder: Path
    broker: str
    scale: Scale
    release: Path  # the folder of the release in service

    def worker(self, readings: str, group: str, core: int | None = 0) -> AbstractContextManager[Worker]:
        """A real worker process, pinned to a core, that publishes every window of a topic."""
        settings = {
            "kafka.bootstrap_servers": self.broker,
            "kafka.group": group,
            "kafka.readings_topics": json.dumps([readings]),
            "kafka.anomalies_topic": f"{group}-anomalies",
            "kafka.dead_letter_topic": f"{group}-dead",
            "store.url": f"dir:{self.folder / 'store'}",
            "publish": "all",
        }
        return worker(self.folder, free_port(), settings, core)

    def fill(self, topic: str, series: int, first: int, last: int) -> int:
        """Send each series' readings `first` to `last` - 1 to a topic, made if `first` is 0; how many there were."""
        if first == 0:
            asyncio.run(traffic.create_topics(self.broker, [topic], self.scale.partitions))
        return asyncio.run(traffic.fill(self.broker, topic, traffic.rows(series, first, last, self.scale.partitions)))


def say(text: str) -> None:
    """Tell whoever waits what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@contextmanager
def bed(scale: Scale) -> Iterator[Bed]:
    """Everything above, and its end. This process and the broker share the last core; workers choose their own."""
    folder = Path(tempfile.mkdtemp(prefix="tidewatch-bench-"))
    everywhere = os.sched_getaffinity(0)
    release = train(folder, "plain", WINDOW)
    os.sched_setaffinity(0, {max(everywhere)})
    kafka = LocalKafka(folder / "kafka", port=free_port())
    kafka.start()
    try:
        yield Bed(folder, kafka.address, scale, release)
    finally:
        kafka.kill()
        os.sched_setaffinity(0, everywhere)
        shutil.rmtree(folder, ignore_errors=True)


def train(folder: Path, config: str, window: int) -> Path:
    """Train a detector of 8 features and put it into service in `folder`; the folder of its release.

    How well it is trained does not matter here.
    """
    say(f"training the {config} detector")
    data = folder / "bench.csv"
    traffic.training_file(data)
    options = ["--no-tracking", "--config", config, "--set", "training.epochs=2", "--set", f"window.size={window}"]
    subprocess.run(
        [sys.executable, "-m", "stream_app", "train", "--data", str(data), "--dataset", "bench", *options],
        env={**os.environ, "TIDEWATCH_STORE__URL": f"dir:{folder / 'store'}"},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return next((folder / "store" / "bench").rglob("manifest.json")).parent
