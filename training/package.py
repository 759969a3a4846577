"""Publish a candidate as it was evaluated, byte for byte, and put it into service."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from models.store.base import ReleaseExists, Store
from training import candidate
from training.artifacts import Artifacts, read_json, write_json


class Publication(msgspec.Struct, frozen=True):
    """`publication.json`: the release in the store; `version` is that of the champion pointer, if it was promoted."""

    dataset: str
    release: str
    version: int | None


def run(artifacts: Artifacts, store: Store, *, promote: bool) -> Publication:
    """Publish the release that calibration left, and leave a note of it."""
    manifest = read_json(artifacts.release(candidate.MANIFEST))
    dataset, release = manifest["dataset"], manifest["release"]
    _publish(store, dataset, release, candidate.files(artifacts))
    champion = store.promote(dataset, release) if promote else None
    publication = Publication(dataset, release, champion.version if champion else None)
    write_json(artifacts.publication, msgspec.to_builtins(publication))
    return publication


def load(artifacts: Artifacts) -> Publication:
    """Read the note."""
    return msgspec.convert(read_json(artifacts.publication), Publication)


def _publish(store: Store, dataset: str, release: str, files: Mapping[str, bytes]) -> None:
    """A run that was killed between publishing and saying so finds its own release in the store."""
    try:
        store.publish(dataset, release, files)
    except ReleaseExists:
        if store.fetch(dataset, release) != files:
            raise
