"""What a store of releases must do, in five methods, and the rules that are the same for every store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from models.manifest import MANIFEST, BundleError, check
from schemas.errors import TidewatchError
from schemas.manifest import Champion

DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
RELEASE = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
REMEMBERED = 20  # earlier champions a pointer names


class StoreError(TidewatchError):
    """A store can not do what it was asked for."""


class NameRefused(StoreError):
    """A dataset or release name that no store holds; names come from Kafka too, and must not be paths."""


class StoreBroken(StoreError):
    """The system refuses, or what lies in the store can not be read: whoever runs it has to mend something.

    Files are named by where they are in the store: who reads it over HTTP is not told where that is.
    """


class StoreFull(StoreBroken):
    """There is no room for another file."""


class ReleaseExists(StoreError):
    """A release is immutable: its name is taken."""


class ReleaseMissing(StoreError):
    """There is no such release."""


class ChampionMissing(ReleaseMissing):
    """The champion pointer names a release that somebody has removed."""

    def __init__(self, dataset: str, release: str) -> None:
        super().__init__(
            f"release {release}, which is to serve dataset {dataset!r}, is not in the store; promote another"
        )


class StoreConflict(StoreError):
    """Somebody else has moved the champion pointer meanwhile."""


class Store(Protocol):
    """Releases, each immutable, and one champion pointer for each dataset.

    A pointer only ever names a release that is whole, whatever crashes. All methods may raise a StoreError.
    """

    def releases(self, dataset: str | None = None) -> list[tuple[str, str]]:
        """(dataset, release) of all, or of one dataset, oldest first."""

    def publish(self, dataset: str, release: str, files: Mapping[str, bytes]) -> None:
        """Keep a release: all of its files or none. Raises ReleaseExists, or BundleError if it is not whole."""

    def fetch(self, dataset: str, release: str) -> dict[str, bytes]:
        """The files of a release, unchecked, by name. Raises ReleaseMissing."""

    def champion(self, dataset: str) -> Champion | None:
        """The pointer of a dataset; None before the first promotion."""

    def promote(self, dataset: str, release: str, expected: int | None = None, *, back: bool = False) -> Champion:
        """Point at a release, and remember what served until now; with `back`, forget that instead.

        With `expected`, only if the pointer's version is still that (0: there is none), else raises StoreConflict.
        Raises ReleaseMissing, or BundleError if the release is not whole.
        """


def rollback(store: Store, dataset: str) -> Champion:
    """Go back to the release that served before the champion, whichever of the two is newer.

    The next roll back goes one further back, and so on. What was rolled back from is forgotten: no roll back leads to
    it before it is promoted again. Raises StoreError if nothing served before, or what did is gone.
    """
    current = store.champion(dataset)
    if current is None or not current.previous:
        raise StoreError(f"dataset {dataset!r} has no earlier champion to go back to; promote a release by its name")
    try:
        return store.promote(dataset, current.previous[-1], expected=current.version, back=True)
    except ReleaseMissing as error:
        raise ReleaseMissing(f"{error}, which served before; promote another by its name") from error


def release_id(created: datetime, content: bytes) -> str:
    """A name that sorts by time (UTC, whole seconds), with six hex digits of the content's digest."""
    return f"{created:%Y%m%dT%H%M%SZ}-{sha256(content).hexdigest()[:6]}"


def check_names(dataset: str, release: str | None = None) -> None:
    """Refuse names that a store does not hold."""
    if not DATASET.fullmatch(dataset):
        raise NameRefused(
            f"dataset {dataset!r:.120} is not a name: use up to 100 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit"
        )
    if release is not None and not RELEASE.fullmatch(release):
        raise NameRefused(f"release {release!r:.60} is not a name like 20260829T101500Z-3f2a91")


def check_whole(dataset: str, release: str, files: Mapping[str, bytes]) -> None:
    """Refuse files that are not a whole release of this name."""
    with naming(dataset, release):
        manifest = check(files)
    if (manifest.dataset, manifest.release) != (dataset, release):
        raise BundleError(
            MANIFEST,
            f"speaks of release {manifest.release!r} of {manifest.dataset!r}, not {release!r} of {dataset!r}; "
            "publish it under its own name",
        )


@contextmanager
def naming(dataset: str, release: str) -> Iterator[None]:
    """Let a BundleError, which knows files only, say whose they are."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"release {release} of dataset {dataset!r}: {error.file}", error.reason) from error


def succeed(dataset: str, current: Champion | None, release: str, expected: int | None, *, back: bool) -> Champion:
    """The pointer after a promotion, as `Store.promote`: earlier champions once each, by when they served last."""
    version = current.version if current else 0
    if expected is not None and expected != version:
        raise StoreConflict(
            f"the champion of {dataset!r} is at version {version}, not {expected}: somebody else moved it; look again"
        )
    if current is None:
        return Champion(release, 1)
    if release == current.release:
        return current
    served = current.previous if back else [*current.previous, current.release]
    earlier = [each for each in served if each != release]
    return Champion(release, version + 1, earlier[-REMEMBERED:])
