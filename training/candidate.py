"""A release candidate: trained networks, calibrated on the part that trained nothing, and packed to be loaded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models import bundle, thresholds
from models.calibration import Calibration, calibrate, describe_features
from models.detector import Detector
from models.ensemble import AT_ONCE, measure
from models.networks.autoencoder import Autoencoder
from models.scaling import Scaler
from schemas.manifest import Identity
from schemas.reference import Reference
from schemas.training import TrainingConfig
from training import loader
from training.artifacts import Artifacts, read_json
from training.split import labels_of
from training.table import load as load_table

BLOCK = 4096  # windows read from disk at once
MOST_KNOWN = 16_384  # windows of the train part that are enough to tell what errors are usual
FITTING = ("train", "validation", "calibration")
MANIFEST = "manifest.json"


def run(
    artifacts: Artifacts,
    config: TrainingConfig,
    identity: Identity,
    networks: Mapping[str, Autoencoder],
    at_once: int = AT_ONCE,
) -> Detector:
    """Calibrate the networks on what preprocessing left, and leave the files of a release."""
    train, validation, calibration = (_errors(artifacts, part, networks, config, at_once) for part in FITTING)
    segments = np.load(artifacts.timestamps(loader.FILES["calibration"]))["segment"].astype(np.int64)
    threshold = thresholds.make(config.threshold)
    known = np.concatenate([train, validation], axis=1)
    calibrated = calibrate(networks, known, calibration, segments, config, threshold)
    detector = _detector(artifacts, config, identity, calibrated, threshold)
    for name, content in bundle.pack(detector, config, identity.code_version, identity.created).items():
        artifacts.release(name).write_bytes(content)
    return detector


def files(artifacts: Artifacts) -> dict[str, bytes]:
    """The files of the candidate by name, the manifest's own included."""
    names = [*read_json(artifacts.release(MANIFEST))["files"], MANIFEST]
    return {name: artifacts.release(name).read_bytes() for name in names}


def load(artifacts: Artifacts, at_once: int = AT_ONCE) -> Detector:
    """The candidate as a worker would load it; its networks see so many windows `at_once`."""
    detector = bundle.load(files(artifacts))
    return replace(detector, ensemble=replace(detector.ensemble, at_once=at_once))


def _errors(
    artifacts: Artifacts, part: str, networks: Mapping[str, Autoencoder], config: TrainingConfig, at_once: int
) -> NDArray[np.float64]:
    """The networks' errors (member, window, feature) on a part."""
    windows = loader.load(artifacts, part, config.window.size)
    if part == "train":
        windows = windows.spread(MOST_KNOWN)
    blocks = np.array_split(np.arange(len(windows)), -(-len(windows) // BLOCK))
    members, clip = list(networks.values()), config.scaling.clip
    return np.concatenate([measure(members, windows.take(block), clip, at_once) for block in blocks], axis=1)


def _detector(
    artifacts: Artifacts,
    config: TrainingConfig,
    identity: Identity,
    calibration: Calibration,
    threshold: thresholds.Threshold,
) -> Detector:
    window = read_json(artifacts.window)
    features = tuple(window["features"])
    described = describe_features(_training_columns(artifacts), features)
    return Detector(
        release=identity.release,
        dataset=identity.dataset,
        features=features,
        window=window["size"],
        stride=window["stride"],
        hold_limit=window["hold_limit"],
        interval_us=window["interval_us"],
        gap_us=window["gap_us"],
        scaler=Scaler.from_dict(read_json(artifacts.scaler)),
        ensemble=calibration.ensemble,
        zero=calibration.zero,
        unit=calibration.unit,
        level=calibration.level,
        hold=config.ensemble.hold,
        threshold=threshold,
        reference=Reference(described, calibration.error, calibration.anomaly_rate),
    )


def _training_columns(artifacts: Artifacts) -> Iterator[NDArray[np.float64]]:
    """The raw values (row,) that the scaler was fitted to, one feature after the other."""
    table = load_table(artifacts)
    parts = pq.read_table(artifacts.cleaned, columns=["part"])["part"]
    ends = np.cumsum([len(series.times) for series in table.series])[:-1]
    masks = zip(table.series, np.split(pc.equal(parts, "train").to_numpy(), ends), strict=True)
    train = [(series, mask & ~labels_of(series)) for series, mask in masks]
    for place in range(len(table.features)):
        yield np.concatenate([series.values[mask, place] for series, mask in train])
