"""A release as files: packed, and loaded again only when every check says that it is whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import msgspec
import numpy as np
import torch
import yaml
from pydantic import ValidationError

from models import thresholds
from models.detector import Detector
from models.ensemble import RULES, Ensemble, Member, Normaliser
from models.golden import check_golden, make_golden
from models.manifest import MANIFEST, BundleError, check, digest
from models.networks import build_member
from models.networks.autoencoder import Autoencoder
from models.scaling import Scaler, ScalerError
from schemas.errors import TidewatchError
from schemas.manifest import FORMAT, Manifest, WindowMeta
from schemas.reference import EnsembleMeta, Histogram, NormaliserMeta, Reference, ScoreMeta, ThresholdMeta
from schemas.training import TrainingConfig

__all__ = ["BundleError", "load", "pack"]

CONFIG, SCALER, WINDOW, META = "config.yaml", "scaler.json", "window_config.json", "ensemble_meta.json"
TEXTS = (CONFIG, SCALER, WINDOW, META)
NOT_COUNTED = "has falling edges, or not one count of 0 or more between each two"

Text = TypeVar("Text", EnsembleMeta, WindowMeta, dict[str, list[float]])


def pack(
    detector: Detector, config: TrainingConfig, code_version: str, created: str, golden: int = 3
) -> dict[str, bytes]:
    """The files of a release by name, proved by loading them.

    `golden` windows, made from a fixed seed and not from anybody's data, are stored with their scores.
    """
    files = {
        CONFIG: as_yaml(config),
        SCALER: _json(detector.scaler.to_dict()),
        WINDOW: _json(_window_meta(detector)),
        META: _json(_ensemble_meta(detector, config)),
    }
    for member in detector.ensemble.members:
        buffer = io.BytesIO()
        torch.save(member.network.state_dict(), buffer)
        files[f"{member.name}.pth"] = buffer.getvalue()
    manifest = Manifest(
        format=FORMAT,
        release=detector.release,
        dataset=detector.dataset,
        created=created,
        features=list(detector.features),
        window=detector.window,
        stride=detector.stride,
        code_version=code_version,
        config_digest=digest(files[CONFIG]),
        files={name: digest(content) for name, content in files.items()},
        golden=make_golden(detector, golden),
    )
    files[MANIFEST] = _json(manifest)
    load(files)
    return files


def as_yaml(config: TrainingConfig) -> bytes:
    """A config with all its keys, as a release holds it."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).encode()


def load(files: Mapping[str, bytes]) -> Detector:
    """The detector in a release's files, or a BundleError.

    Names and digests are checked before a tensor is built, nothing is unpickled but tensors, and the detector must
    score the golden windows as it did when the release was made.
    """
    manifest = check(files)
    texts = _read_texts(files)
    _check_agreement(manifest, texts)
    networks = {name: _network(files, name, texts) for name in texts.config.members}
    detector = _assemble(manifest, texts, networks)
    check_golden(detector, manifest.golden)
    return detector


@dataclass(frozen=True)
class _Texts:
    config: TrainingConfig
    scaler: Scaler
    window: WindowMeta
    meta: EnsembleMeta


def _read_texts(files: Mapping[str, bytes]) -> _Texts:
    for name in TEXTS:
        if name not in files:
            raise BundleError(name, "is missing; publish the release again")
    try:
        config = TrainingConfig.model_validate(yaml.safe_load(files[CONFIG]))
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        way = "train again, or update Tidewatch"
        raise BundleError(CONFIG, f"is not a training config of this version ({_line(error)}); {way}") from error
    try:
        scaler = Scaler.from_dict(_decode(files, SCALER, dict[str, list[float]]))
    except ScalerError as error:
        raise BundleError(SCALER, f"is refused: {error}") from error
    return _Texts(config, scaler, _decode(files, WINDOW, WindowMeta), _decode(files, META, EnsembleMeta))


def _decode(files: Mapping[str, bytes], name: str, kind: type[Text]) -> Text:
    try:
        return msgspec.json.decode(files[name], type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(name, f"can not be read ({error}); train again") from error


def _check_agreement(manifest: Manifest, texts: _Texts) -> None:
    """Every file must speak of the same features, window and networks, and hold numbers that can score."""
    config, window, meta, features = texts.config, texts.window, texts.meta, len(manifest.features)
    names = {*TEXTS, *(f"{name}.pth" for name in config.members)}
    size, stride = config.window.size, config.window.stride
    numbers = [meta.score.zero, meta.score.unit, meta.threshold.level, *meta.weights.values()]
    scales = [meta.score.unit, window.interval_us, window.gap_us, sum(meta.weights.values())]
    for each in meta.normalisers.values():
        numbers += [each.centre]
        scales += [each.spread, *each.feature_scale]
    rules = [
        (MANIFEST, "names files that its config does not ask for, or lacks some", manifest.files.keys() == names),
        (MANIFEST, "names a feature twice", len(set(manifest.features)) == features > 0),
        (MANIFEST, "has another window than the config", (manifest.window, manifest.stride) == (size, stride)),
        (WINDOW, "has another window than the config", (window.size, window.stride) == (size, stride)),
        (SCALER, "has not one scale a feature", len(texts.scaler.mean) == features),
        (
            META,
            "has other networks than the config",
            list(meta.normalisers) == list(meta.weights) == list(config.members),
        ),
        (META, "has not one scale a feature", all(len(n.feature_scale) == features for n in meta.normalisers.values())),
        (META, "has not one reference a feature", list(meta.reference.features) == manifest.features),
        (META, f"has an unknown rule to combine networks: {meta.combine}", meta.combine in RULES),
        (META, "has a number that is not finite", bool(np.isfinite(numbers).all())),
        (META, "has a scale that is not above 0", all(0 < each < np.inf for each in scales)),
        (META, "has a hold that is not below 1", 0 <= meta.score.hold < 1 and window.hold_limit >= 0),
        (META, "has a weight below 0", all(weight >= 0 for weight in meta.weights.values())),
        (META, "has a rate that is not between 0 and 1", 0 < meta.threshold.rate < 1),
        *((META, f"has {reason}", holds) for reason, holds in _reference_rules(meta.reference)),
    ]
    for file, reason, holds in rules:
        if not holds:
            raise BundleError(file, f"{reason}; train again")


def _reference_rules(reference: Reference) -> Iterator[tuple[str, bool]]:
    """What statistics of normal data can not be, and whether these are otherwise."""
    yield "a reference anomaly rate that is not a share", 0 <= reference.anomaly_rate <= 1
    yield "a reference error below 0", 0 <= reference.error.median <= reference.error.p95 < np.inf
    yield f"a reference histogram of the error that {NOT_COUNTED}", _is_histogram(reference.error.histogram)
    for name, feature in reference.features.items():
        yield f"a reference mean of '{name}' that is not finite", bool(np.isfinite(feature.mean))
        yield f"a reference std of '{name}' below 0", 0 <= feature.std < np.inf
        yield f"a reference missing_share of '{name}' that is not a share", 0 <= feature.missing_share <= 1
        yield f"a reference histogram of '{name}' that {NOT_COUNTED}", _is_histogram(feature.histogram)


def _is_histogram(histogram: Histogram) -> bool:
    """Finite edges that do not fall (some coincide if values are nearly equal), a count of 0 or more between each."""
    edges, counts = histogram.edges, histogram.counts
    rising = bool(np.isfinite(edges).all()) and all(low <= high for low, high in pairwise(edges))
    return rising and len(edges) == len(counts) + 1 and min(counts, default=-1) >= 0


def _network(files: Mapping[str, bytes], name: str, texts: _Texts) -> Autoencoder:
    file = f"{name}.pth"
    try:
        with torch.device("meta"):  # shapes without memory: the tensors of the file take these places
            network = build_member(name, len(texts.scaler.mean), texts.config)
        _check_archive(files[file])
        weights = torch.load(io.BytesIO(files[file]), map_location="cpu", weights_only=True)
        network.load_state_dict(weights, assign=True)
    except TidewatchError as error:
        raise BundleError(CONFIG, f"is refused: {error}") from error
    except Exception as error:  # a hostile file can make torch raise anything
        raise BundleError(file, f"does not hold this network's tensors ({_line(error)}); train again") from error
    if not all(map(_is_usable, network.state_dict().values())):
        raise BundleError(file, "has weights that are not plain, finite float32 numbers; train again")
    return network.serving()


def _is_usable(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and tensor.dtype == torch.float32 and bool(tensor.isfinite().all())


def _check_archive(content: bytes) -> None:
    """Refuse compressed entries, which could unfold into any amount of memory; torch writes none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("compressed entries")


def _assemble(manifest: Manifest, texts: _Texts, networks: Mapping[str, Autoencoder]) -> Detector:
    window, meta = texts.window, texts.meta
    normalisers = [
        Normaliser(np.array(each.feature_scale), each.centre, each.spread) for each in meta.normalisers.values()
    ]
    members = tuple(map(Member, networks, networks.values(), normalisers))
    return Detector(
        release=manifest.release,
        dataset=manifest.dataset,
        features=tuple(manifest.features),
        window=window.size,
        stride=window.stride,
        hold_limit=window.hold_limit,
        interval_us=window.interval_us,
        gap_us=window.gap_us,
        scaler=texts.scaler,
        ensemble=Ensemble(members, meta.combine, tuple(meta.weights.values()), texts.config.scaling.clip),
        zero=meta.score.zero,
        unit=meta.score.unit,
        level=meta.threshold.level,
        hold=meta.score.hold,
        threshold=thresholds.make(texts.config.threshold),
        reference=meta.reference,
    )


def _window_meta(detector: Detector) -> WindowMeta:
    return WindowMeta(
        size=detector.window,
        stride=detector.stride,
        hold_limit=detector.hold_limit,
        interval_us=detector.interval_us,
        gap_us=detector.gap_us,
    )


def _ensemble_meta(detector: Detector, config: TrainingConfig) -> EnsembleMeta:
    ensemble = detector.ensemble
    return EnsembleMeta(
        combine=ensemble.combine,
        weights=dict(zip(ensemble.names, ensemble.weights, strict=True)),
        normalisers={
            member.name: NormaliserMeta(
                member.normaliser.feature_scale.tolist(), member.normaliser.centre, member.normaliser.spread
            )
            for member in ensemble.members
        },
        score=ScoreMeta(detector.zero, detector.unit, detector.hold),
        threshold=ThresholdMeta(detector.threshold.method, config.threshold.rate, detector.level),
        reference=detector.reference,
    )


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _line(error: Exception) -> str:
    """An error of many lines on one, and not too long; of many errors the first."""
    text = str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        text = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
    return " ".join(text.split())[:300]
