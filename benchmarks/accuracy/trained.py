"""Our own detector on a series: trained by the product's own stages, streamed by its own core."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.accuracy.sets import Series
from config.settings import FILES
from models.batch import Batch
from models.detector import Detector
from models.networks import build_member
from models.stream import StreamDetector
from schemas.manifest import Identity
from schemas.training import SplitConfig, TrainingConfig
from training import candidate, ingest, preprocess, train
from training import config as configs
from training.artifacts import Artifacts
from training.events import silent
from training.preprocess import TooLittleData
from training.roles import Wanted
from training.shrinking import shrunk
from training.speed import threads

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Weights = Mapping[str, torch.Tensor]

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "var" / "accuracy"  # trained networks, by a digest of all that shaped them
CODE = (  # a change of any of these makes every kept network stale
    "models/networks",
    "models/missing.py",
    "models/scaling.py",
    *(f"training/{name}.py" for name in ("learner", "loader", "preprocess", "split", "train")),
)
SHAPING = ("window", "missing", "gap", "split", "scaling", "networks", "autoregression", "training")  # of a config
NOT_SHAPING = {"window": {"shrinks"}}
CHUNK = 1000  # readings


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of each of m test rows."""

    scores: Float64  # (m,)
    thresholds: Float64  # (m,)
    flags: Mask  # (m,)
    members: Mapping[str, Float64]  # each network's own scores, (m,)
    window: int  # rows; smaller than the config's if the train part is short
    errors: Float64  # (m,) mean squared, over members and features


def detector(series: Series, overrides: Sequence[str] = (), kept: Path = KEPT) -> Detector:
    """The default detector with `overrides`, trained on the train part: the set's own test rows are the test part.

    The other parts keep their proportions. Where the train part is too short for one of them, the window shrinks as it
    does for any user.
    """
    overrides = (*overrides, "training.threads=1", "window.shrinks=true")  # the same figures on every machine
    config = configs.load("default", FILES / "detectors", overrides)
    while True:
        try:
            size = config.window.size
            return _trained(series, (*overrides, *_split(series, size), f"window.size={size}"), kept)
        except TooLittleData:
            if (shorter := shrunk(config)) is None:
                raise
            config = shorter


def stream(detector: Detector, rows: Float64, count: int) -> Judged:
    """Judge the last `count` of rows (row, feature), by a fresh stream that begins as late as it can."""
    rows = rows[len(rows) - count - detector.window + 1 :]
    times = np.arange(len(rows)) * detector.interval_us
    watched, found = StreamDetector(detector), []
    for begin in range(0, len(rows), CHUNK):
        part = slice(begin, begin + CHUNK)
        found.append(watched.observe(Batch(["series"] * len(rows[part]), times[part], rows[part], times[part])))
    scores, thresholds, flags, errors, members = (
        np.concatenate([getattr(each, name) for each in found])
        for name in ("scores", "thresholds", "is_anomaly", "error", "model_scores")
    )
    return Judged(
        scores, thresholds, flags, dict(zip(detector.ensemble.names, members.T, strict=True)), detector.window, errors
    )


def _trained(series: Series, overrides: Sequence[str], kept: Path) -> Detector:
    """By the product's own stages, as any user's file; the networks are those kept, if there are."""
    config = configs.load("default", FILES / "detectors", overrides)
    kept.mkdir(parents=True, exist_ok=True)
    with threads(config.training.threads), tempfile.TemporaryDirectory(dir=kept) as place:
        artifacts = Artifacts(Path(place)).make()
        ingest.run(artifacts, _file(series, Path(place), config.window.size), Wanted(time="time"))
        preprocess.run(artifacts, config)
        weights = _weights(series, overrides, artifacts, kept)
        networks = {name: build_member(name, series.train.shape[1], config) for name in config.members}
        for name, network in networks.items():
            network.load_state_dict(weights[name])
        return candidate.run(artifacts, config, Identity(series.set, "benchmark", "", ""), networks)


def _weights(series: Series, overrides: Sequence[str], artifacts: Artifacts, kept: Path) -> Mapping[str, Weights]:
    """Those kept, or newly trained. Members that an override takes away are trained with the others.

    So what an ablation of a member, of the rows judged, of the ensemble or of the threshold costs is no training.
    """
    config = configs.load("default", FILES / "detectors", [each for each in overrides if not _is_later(each)])
    file = kept / f"{_digest(series, config)}.pt"
    if not file.exists():
        fitted = {one.name: one.network.state_dict() for one in train.run(artifacts, config, silent)}
        partial = file.with_suffix(f".{os.getpid()}")
        torch.save(fitted, partial)
        partial.rename(file)
    weights: Mapping[str, Weights] = torch.load(file, weights_only=True)
    return weights


def _is_later(override: str) -> bool:
    """Whether it changes nothing in a network, but what is made of it."""
    key = override.partition("=")[0]
    return override.endswith("=null") or key.endswith((".use", ".weight")) or (".judged" in key and "networks" in key)


def _digest(series: Series, config: TrainingConfig) -> str:
    """Of all that the networks depend on: train rows, the config as far as it shapes them, code."""
    rows = np.ascontiguousarray(series.train)
    shaping = f"{rows.shape} {config.model_dump_json(include=set(SHAPING), exclude=NOT_SHAPING)} {_code()}"
    return hashlib.sha256(rows.tobytes() + shaping.encode()).hexdigest()[:32]


@cache
def _code() -> str:
    files = [file for part in CODE for file in ([ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def _split(series: Series, size: int) -> tuple[str, ...]:
    """Overrides that end the calibration part with the train rows of `_file`."""
    shares, rows = SplitConfig(), len(series.train)
    fitted = (shares.train + shares.validation + shares.calibration) * (rows + _closing(series, size)) / rows
    return tuple(f"split.{part}={getattr(shares, part) / fitted!r}" for part in ("train", "validation", "calibration"))


def _closing(series: Series, size: int) -> int:
    """How many test rows are needed for the test part to have a window, behind the window's gap."""
    return min(2 * size, len(series.test))


def _file(series: Series, folder: Path, size: int) -> Path:
    """The train part as a file of readings, with so many test rows behind it that there is a test part.

    Nothing depends on the times but that they are regular.
    """
    rows = np.concatenate([series.train, series.test[: _closing(series, size)]])
    frame = pd.DataFrame(rows, columns=[f"f{place:02}" for place in range(rows.shape[1])])
    frame.insert(0, "time", pd.date_range("2026-01-01", periods=len(frame), freq="min", tz="UTC"))
    path = folder / "train.parquet"
    frame.to_parquet(path)
    return path
