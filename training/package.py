"""Publish a candidate as it was evaluated, byte for byte, and put it into service."""

from __future__ import annotations

from models.store.base import Store
from schemas.manifest import Champion
from training import candidate
from training.artifacts import Artifacts, read_json


def run(artifacts: Artifacts, store: Store, *, promote: bool) -> Champion | None:
    """Publish the release that training left; the new pointer, or None if it is not promoted."""
    manifest = read_json(artifacts.training(candidate.MANIFEST))
    store.publish(manifest["dataset"], manifest["release"], candidate.files(artifacts))
    return store.promote(manifest["dataset"], manifest["release"]) if promote else None
