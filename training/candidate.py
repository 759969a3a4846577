"""A release candidate: trained networks, calibrated on what was held out, and packed to be loaded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models import bundle, thresholds
from models.calibration import Calibration, calibrate, describe_features
from models.detector import Detector
from models.ensemble import AT_ONCE
from models.networks.autoencoder import Autoencoder
from models.scaling import Scaler
from schemas.manifest import Identity
from schemas.reference import Reference
from schemas.training import TrainingConfig
from training import crossfit, rows
from training.artifacts import Artifacts, read_json
from training.split import fitting_rows, labels_of
from training.table import load as load_table

MANIFEST = "manifest.json"


def run(
    artifacts: Artifacts,
    config: TrainingConfig,
    identity: Identity,
    networks: Mapping[str, Autoencoder],
    at_once: int = AT_ONCE,
) -> Detector:
    """Calibrate the networks on what preprocessing left, and leave the files of a release."""
    threshold = thresholds.make(config.threshold)
    errors, stretches = crossfit.errors(artifacts, config, networks, at_once)
    calibrated = calibrate(networks, errors, stretches, config, threshold)
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
    parts = pc.index_in(pq.read_table(artifacts.cleaned, columns=["part"])["part"].cast(pa.string()), rows.WORDS)
    ends = np.cumsum([len(series.times) for series in table.series])[:-1]
    each = zip(table.series, np.split(parts.to_numpy().astype(np.int8), ends), strict=True)
    fitted = [(series, fitting_rows(parts) & ~labels_of(series)) for series, parts in each]
    for place in range(len(table.features)):
        yield np.concatenate([series.values[mask, place] for series, mask in fitted])
