"""What a run might have found, made up, so that a page can be looked at without training anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.evaluation import Evaluation, Event, Events, FlagRate, Injected, Labelled
from schemas.flag import Attribution
from schemas.manifest import FORMAT, Manifest
from schemas.reference import (
    EnsembleMeta,
    ErrorReference,
    FeatureReference,
    Histogram,
    NormaliserMeta,
    Reference,
    ScoreMeta,
    ThresholdMeta,
)
from training.health import FeatureHealth, Health, Labels
from training.history import Epoch, History
from training.report.findings import Findings
from training.times import rfc3339

START = 1_700_000_000_000_000  # microseconds
SECOND = 1_000_000
NETWORKS = ("lstm_ae", "cnn_ae")


def findings(
    series: Sequence[str] = ("pump-1", "pump-2"),
    features: Sequence[str] = ("flow", "temp"),
    windows: int = 300,
    *,
    labelled: bool = True,
    **changes: Any,
) -> Findings:
    """Each series has one event, from a third of its windows on, ten windows long; the later, the higher."""
    histogram = Histogram([0.0, 1.0, 2.0, 3.0], [1, 5, 2])
    reference = {name: FeatureReference(1.5, 0.5, 0.01, histogram) for name in features}
    found: dict[str, Any] = {
        "ingestion": ingestion(series, features, windows, labelled=labelled),
        "health": examined(series, features, windows, labelled=labelled),
        "window": {
            "size": 8,
            "interval_us": SECOND,
            "gap_us": 10 * SECOND,
            "windows": {"train": 600, "validation": 100, "calibration": 200, "test": windows},
            "fitting_windows": 1000,
        },
        "histories": {name: learning() for name in NETWORKS},
        "evaluation": evaluation(windows, labelled=labelled),
        "events": Events([event(name, features, windows) for name in series]),
        "meta": EnsembleMeta(
            "mean",
            dict.fromkeys(NETWORKS, 1.0),
            dict.fromkeys(NETWORKS, NormaliserMeta([1.0], 0.0, 1.0)),
            ScoreMeta(0.0, 1.0, 0.0),
            ThresholdMeta("budget", 0.01, 2.0),
            Reference(reference, ErrorReference(0.1, 0.2, histogram), 0.01),
        ),
        "manifest": Manifest(
            FORMAT,
            "20260829T101500Z-3f2a91",
            "plant",
            "2026-08-29T10:15:00Z",
            list(features),
            8,
            1,
            "0.1.0",
            "c0ffee",
            {"lstm_ae.pth": "beef"},
            [],
        ),
        "config": {"threshold": {"method": "budget"}},
        "config_text": "format: 1\n",
        "judged": judged(series, windows, labelled=labelled),
    }
    return Findings(**found | changes)


def ingestion(series: Sequence[str], features: Sequence[str], rows: int, *, labelled: bool) -> dict[str, Any]:
    """What `ingestion_metadata.json` says."""
    return {
        "source": [{"file": "plant.csv", "sha256": "f00d"}],
        "time_range": [rfc3339(START), rfc3339(START + rows * SECOND)],
        "features": list(features),
        "series": list(series),
        "labelled": [labelled] * len(series),
        "rows": rows * len(series),
        "interval_us": SECOND,
        "time_column": "time",
        "time_form": "",
        "series_column": "machine",
        "label_column": "anomaly" if labelled else None,
        "notes": [],
    }


def examined(series: Sequence[str], features: Sequence[str], rows: int, *, labelled: bool) -> Health:
    """Regular readings, in which little is missing."""
    return Health(
        rows_by_series=(rows, rows, rows),
        start=START,
        end=START + rows * SECOND,
        interval_us=SECOND,
        unsteady_share=0.0,
        shortest_us=SECOND,
        longest_us=SECOND,
        pauses=0,
        longest_pause=None,
        missing_share=0.01,
        features={name: FeatureHealth(0.01, 0.0, 1.5, 3.0) for name in features},
        labels=Labels(rows * len(series), 10 * len(series), len(series)) if labelled else None,
    )


def learning() -> History:
    """A network that is best in its second epoch."""
    return History((Epoch(1, 3.0, 2.0, 0.5), Epoch(2, 1.0, 0.5, 0.5), Epoch(3, 0.8, 0.7, 0.5)))


def evaluation(windows: int, *, labelled: bool, **changes: Any) -> Evaluation:
    """Good figures, but for a kind of anomaly that is missed."""
    agreement = Labelled(windows, 20, 0.8, 0.9, 0.75, 0.95, 0.7, 0.65, 0.02, 0.3, 2, 2, 1.0, 3.0, {})
    injected = [
        Injected("spike", 2.0, "sd", 20, 18, 0.9, 1.0, 0),
        Injected("stuck", 40.0, "rows", 20, 3, 0.15, None, 1),
    ]
    rate = FlagRate(0.01, 1000, 12, 0.012)
    return Evaluation(**{"flag_rate": rate, "labelled": agreement if labelled else None, "injected": injected,
                         "by_series": {}} | changes)  # fmt: skip


def judged(series: Sequence[str], windows: int, *, labelled: bool) -> pa.Table:
    """Calm scores, and an event in each series."""
    noise = np.random.default_rng(0)
    third = windows // 3
    score = np.abs(noise.normal(0, 0.2, (len(series), windows)))
    flagged = np.zeros((len(series), windows), bool)
    flagged[:, third : third + 10] = True
    score = np.where(flagged, np.arange(len(series))[:, None] + 3.0, score)
    names = pa.DictionaryArray.from_arrays(np.repeat(np.arange(len(series), dtype=np.int32), windows), list(series))
    times = np.tile(START + SECOND * np.arange(windows), len(series))
    return pa.table(
        {
            "series_id": names,
            "timestamp": pa.array(times, pa.timestamp("us", tz="UTC")),
            "part": pa.array(["test"] * score.size).dictionary_encode(),
            "score": score.ravel(),
            "threshold": np.ones(score.size),
            "is_anomaly": flagged.ravel(),
            "label": pa.array(flagged.ravel(), mask=np.full(score.size, not labelled)),
            **{network: score.ravel() for network in NETWORKS},
        }
    )


def event(series: str, features: Sequence[str], windows: int) -> Event:
    """The event of a series: the first feature is to blame."""
    first = START + SECOND * (windows // 3)
    rows = [rfc3339(first + SECOND * row) for row in range(-20, 30)]
    shares = [0.9, *[0.1 / max(len(features) - 1, 1)] * (len(features) - 1)]
    blamed = [Attribution(name, share, 9.0, 1.0, rows[20]) for name, share in zip(features, shares, strict=True)]
    values: list[float | None] = [*[1.0] * 20, *[9.0] * 10, *[1.0] * 20]
    expected: list[float | None] = [*[None] * 4, *[1.0] * 46]
    return Event(
        series, rows[20], rows[29], rows[25], 3.0, 1.0, 10, True, blamed, rows,
        dict.fromkeys(features, values), dict.fromkeys(features, expected),
    )  # fmt: skip
