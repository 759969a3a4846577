"""Answers of the admin as they were given once: examples for OpenAPI. A test reads each as what it is an example of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PREVIEW: Json = {
    "format": "csv",
    "complete": True,
    "rows": 2999,
    "time_column": "time",
    "time_form": "",
    "first": "2026-01-01T00:00:00Z",
    "last": "2026-01-01T00:49:59Z",
    "interval_seconds": 1.0,
    "unsteady_share": 0.000333555703802535,
    "series_column": None,
    "series_count": 1,
    "series": ["pumps"],
    "label_column": None,
    "anomalous_share": None,
    "missing_share": 0.0,
    "features": [
        {"name": "flow", "missing_share": 0.0, "low": -1.2884, "mean": 0.0015, "high": 1.2707, "constant": False},
        {"name": "temp", "missing_share": 0.0, "low": -2.2613, "mean": 0.0021, "high": 2.3156, "constant": False},
    ],
    "notes": ["rejected rows: 1 left out (line 100: column 'time': 'broken' is no time)"],
    "rejected": [{"line": 100, "reason": "column 'time': 'broken' is no time"}],
    "rejected_count": 1,
}

JOB: Json = {
    "id": "20261126T164359Z-72e1aa347e15",
    "dataset": "pumps",
    "owner": "local",
    "upload": "20261126T164359Z-c4998939e3c9",
    "file": "readings.csv",
    "options": {"ignore": ["operator"], "config": "quick", "set": ["window.size=32"]},
    "state": "running",
    "created": "2026-11-26T16:43:59.201Z",
    "started": "2026-11-26T16:43:59.209Z",
    "ended": None,
    "waiting": None,
    "stage": "train",
    "networks": [
        {"network": "lstm_ae", "epoch": 4, "epochs": 4, "loss": 0.0260, "validation_loss": 0.0271},
        {"network": "gru_ae", "epoch": 1, "epochs": 4, "loss": 0.0301, "validation_loss": 0.0312},
    ],
    "progress": 0.42,
    "seconds_left": 6.5,
    "rejected": PREVIEW["rejected"],
    "notes": PREVIEW["notes"],
    "release": None,
    "promoted": False,
    "flag_rate": None,
    "error": None,
    "has_report": False,
}

OPTIONS: Json = JOB["options"]

PROBLEM: Json = {
    "type": "urn:tidewatch:problem:missing",
    "title": "Not Found",
    "status": 404,
    "detail": "there is no dataset 'pumps'; upload one, or see GET /datasets",
    "instance": "/datasets/pumps",
}

DATASET: Json = {
    "name": "pumps",
    "owner": "local",
    "created": "2026-11-26T16:43:59.200Z",
    "champion": "20261126T164407Z-7b14e9",
    "problem": None,
    "releases": 1,
    "jobs": 1,
    "newest_job": JOB,
}

PREDICT: Json = {
    "dataset": "pumps",
    "data": [[0.0, 1.0], [0.11, 0.99], [0.22, None], [0.33, 0.94], [9.0, 0.9]],
    "timestamps": [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:01Z",
        "2026-01-01T00:00:02Z",
        "2026-01-01T00:00:03Z",
        "2026-01-01T00:00:04Z",
    ],
}

PREDICTION: Json = {
    "anomalies": [0, 1],
    "scores": [-0.29407682029195403, 5.117226451973274],
    "thresholds": [1.0, 0.9996],
    "timestamps": ["2026-01-01T00:00:03.000000Z", "2026-01-01T00:00:04.000000Z"],
    "rows": [3, 4],
    "dataset": "pumps",
    "release": "20260101T000001Z-ae9984",
    "threshold": 1.0,
    "series": None,
    "flags": None,
    "rejected": [{"line": 7, "reason": "column 'temp': 'oops' is no number"}],
    "rejected_count": 1,
}

RELEASE_ROW: Json = {
    "dataset": "pumps",
    "release": "20260101T000001Z-ae9984",
    "serves": True,
    "created": "2026-01-01T00:00:01+00:00",
    "features": 2,
    "window": 4,
    "problem": None,
}

RELEASE: Json = {
    "dataset": "pumps",
    "release": "20260101T000001Z-ae9984",
    "serves": True,
    "created": "2026-01-01T00:00:01+00:00",
    "code_version": "test",
    "features": ["flow", "temp"],
    "window": {"size": 4, "stride": 1},
    "networks": ["gru_ae", "cnn_ae"],
    "combine": "weighted",
    "threshold": {"method": "budget", "rate": 0.01, "level": 3.070274922022392},
    "calibration": {"error_median": 0.9703889805823565, "error_p95": 2.156117148697376, "anomaly_rate": 0.005},
    "config_digest": "6373e89a93ddfd1d003e0985d1ef308d25e15c24b301ac97e415aefa29e6c23e",
    "files": {
        "cnn_ae.pth": 3725,
        "config.yaml": 767,
        "ensemble_meta.json": 4839,
        "gru_ae.pth": 5055,
        "manifest.json": 1792,
        "scaler.json": 59,
        "window_config.json": 93,
    },
}

IN_SERVICE: Json = {
    "dataset": "pumps",
    "release": "20260101T000001Z-ae9984",
    "version": 2,
    "previous": ["20260101T000000Z-b7eca6"],
}
