"""The naive worker that Tidewatch is held against: stock Faust, one event at a time, batch 1, a sink.

Run by `benchmarks.worker` as a process of its own: `python -m benchmarks.naive_worker READINGS FLAGS RELEASE_FOLDER`.
It prints one JSON line when it has scored as many windows as it was asked to.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import faust
import numpy as np
import torch

from models import bundle
from models.detector import Detector


class NaiveReading(faust.Record, serializer="json"):
    """A reading as a Faust user would declare it."""

    series_id: str
    timestamp: str
    values: dict[str, float]
    dataset: str


class NaiveScorer:
    """A deque per series and three networks that see one window at a time."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.windows: dict[str, deque[np.ndarray]] = defaultdict(lambda: deque(maxlen=detector.window))

    def score(self, reading: NaiveReading) -> float | None:
        """The mean squared error of the three networks on the newest window; None while the series warms up."""
        window = self.windows[reading.series_id]
        window.append(np.array([reading.values[name] for name in self.detector.features]))
        if len(window) < self.detector.window:
            return None
        batch = torch.from_numpy(self.detector.scaler.transform(np.stack(window))[None])  # (1, time, feature)
        with torch.no_grad():
            errors = [float(((member.network(batch) - batch) ** 2).mean()) for member in self.detector.ensemble.members]
        return sum(errors) / len(errors)


def app(broker: str, readings: str, flags: str, detector: Detector, warm_up: int, scored: int) -> Any:
    """A Faust app that scores `scored` windows after `warm_up` of them, prints how long that took, and ends."""
    torch.set_num_threads(1)
    naive = faust.App(
        f"naive-{flags}",
        broker=f"kafka://{broker}",
        web_enabled=False,
        topic_disable_leader=True,
        worker_redirect_stdouts=False,
        datadir=tempfile.mkdtemp(prefix="naive-"),
    )
    scorer = NaiveScorer(detector)
    seen = 0
    started = 0.0

    @naive.agent(naive.topic(readings, value_type=NaiveReading), sink=[naive.topic(flags)])
    async def watch(stream: Any) -> AsyncIterator[dict[str, Any]]:
        nonlocal seen, started
        async for reading in stream:
            score = scorer.score(reading)
            if score is None:
                continue
            seen += 1
            if seen == warm_up:
                started = time.perf_counter()
            if seen == warm_up + scored:
                seconds = time.perf_counter() - started
                print(json.dumps({"windows": scored, "seconds": seconds}), flush=True)
                os._exit(0)
            yield {
                "series_id": reading.series_id,
                "timestamp": reading.timestamp,
                "score": score,
                "is_anomaly": score > detector.unit,
            }

    return naive


def main(broker: str, readings: str, flags: str, release: str, warm_up: str, scored: str) -> None:
    """Serve until enough windows are scored."""
    files = {file.name: file.read_bytes() for file in Path(release).iterdir()}
    naive = app(broker, readings, flags, bundle.load(files), int(warm_up), int(scored))
    faust.Worker(naive, loglevel="WARN").execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
