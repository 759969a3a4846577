"""What a release says of itself: for the command line, and over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec

from models import bundle
from models import manifest as manifests
from models.store.base import Store, naming
from schemas.errors import TidewatchError
from schemas.manifest import Manifest
from schemas.reference import EnsembleMeta


def row(store: Store, dataset: str, release: str) -> dict[str, Any]:
    """A release in a line; `problem` says why it could not serve, or why it is not known whether it does, if so."""
    about = {"dataset": dataset, "release": release, "serves": False}
    try:
        champion = store.champion(dataset)
        about["serves"] = champion is not None and champion.release == release
        manifest = manifests.check(store.fetch(dataset, release))
    except TidewatchError as error:
        return about | {"problem": str(error)}
    return about | {"created": manifest.created, "features": len(manifest.features), "window": manifest.window}


def describe(store: Store, dataset: str, release: str) -> dict[str, Any]:
    """All that a release says of itself; raises what a worker would that can not serve it."""
    files = store.fetch(dataset, release)
    with naming(dataset, release):
        manifest: Manifest = manifests.check(files)
        bundle.load(files)
    meta = msgspec.json.decode(files["ensemble_meta.json"], type=EnsembleMeta)
    champion = store.champion(dataset)
    return {
        "dataset": dataset,
        "release": release,
        "serves": champion is not None and champion.release == release,
        "created": manifest.created,
        "code_version": manifest.code_version,
        "features": manifest.features,
        "window": {"size": manifest.window, "stride": manifest.stride},
        "networks": list(meta.normalisers),
        "combine": meta.combine,
        "threshold": msgspec.to_builtins(meta.threshold),
        "calibration": {
            "error_median": meta.reference.error.median,
            "error_p95": meta.reference.error.p95,
            "anomaly_rate": meta.reference.anomaly_rate,
        },
        "config_digest": manifest.config_digest,
        "files": {name: len(content) for name, content in sorted(files.items())},
    }
