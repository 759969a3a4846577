"""A store in a folder, safe against crashes, full disks and several writers at once.

<root>/<dataset>/<release>/       the files of a release; renamed into place when all of them are on the disk
<root>/<dataset>/champion.json    the pointer; replaced in one step
<root>/<dataset>/.lock            held while the pointer is compared and set
<root>/<dataset>/.new-*           what a writer has not finished; ignored, and removed after an hour
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from models.manifest import check_size
from models.store.base import (
    DATASET,
    RELEASE,
    NameRefused,
    ReleaseExists,
    ReleaseMissing,
    StoreBroken,
    StoreFull,
    check_names,
    check_whole,
    succeed,
)
from schemas.manifest import Champion

POINTER = "champion.json"
UNFINISHED = ".new-"
LEFTOVER_SECONDS = 3600


class LocalStore:
    """Releases in a folder; see the module for its layout."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def releases(self, dataset: str | None = None) -> list[tuple[str, str]]:
        """As `Store.releases`."""
        if dataset is not None:
            check_names(dataset)
        with self._told(self.root):
            datasets = _folders(self.root, DATASET) if dataset is None else [dataset]
            found = [(release, each) for each in datasets for release in _folders(self.root / each, RELEASE)]
        return [(each, release) for release, each in sorted(found)]

    def publish(self, dataset: str, release: str, files: Mapping[str, bytes]) -> None:
        """As `Store.publish`."""
        check_names(dataset, release)
        check_whole(dataset, release, files)
        target = self.root / dataset / release
        with self._told(target), _unfinished(target.parent) as folder:
            folder.mkdir()
            for name, content in files.items():
                _write(folder / name, content)
            _flush(folder)
            _place(folder, target)

    def fetch(self, dataset: str, release: str) -> dict[str, bytes]:
        """As `Store.fetch`."""
        check_names(dataset, release)
        folder = self.root / dataset / release
        with self._told(folder):
            if not folder.is_dir():
                raise ReleaseMissing(f"dataset {dataset!r} has no release {release}")
            return {path.name: _read(path) for path in sorted(folder.iterdir())}

    def champion(self, dataset: str) -> Champion | None:
        """As `Store.champion`."""
        check_names(dataset)
        path = self.root / dataset / POINTER
        with self._told(path):
            if not path.exists():
                return None
            content = path.read_bytes()
        try:
            champion = msgspec.json.decode(content, type=Champion)
            check_names(dataset, champion.release)
        except (msgspec.DecodeError, UnicodeDecodeError, NameRefused) as error:
            raise StoreBroken(
                f"{self._spelled(path)} says which release serves, and can not be read ({error}); "
                "whoever runs the store has to remove it, then promote a release"
            ) from error
        return champion

    def promote(self, dataset: str, release: str, expected: int | None = None, *, back: bool = False) -> Champion:
        """As `Store.promote`."""
        check_whole(dataset, release, self.fetch(dataset, release))
        folder = self.root / dataset
        with self._told(folder / POINTER), _locked(folder), _unfinished(folder) as file:
            champion = succeed(dataset, self.champion(dataset), release, expected, back=back)
            _write(file, msgspec.json.encode(champion))
            file.replace(folder / POINTER)
            _flush(folder)
        return champion

    @contextmanager
    def _told(self, path: Path) -> Iterator[None]:
        """What the system refuses, in one sentence about the file that it refused."""
        try:
            yield
        except OSError as error:
            kind = StoreFull if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} else StoreBroken
            unfinished = UNFINISHED in str(error.filename or UNFINISHED)  # is gone by now: what it was for is told
            where = self._spelled(path if unfinished else Path(error.filename))
            raise kind(f"{where}: {error.strerror}; whoever runs the store has to mend that") from error

    def _spelled(self, path: Path) -> str:
        """A file by where it is in the store, not by where that is."""
        place = "the store of releases (store.url)"
        if path == self.root or not path.is_relative_to(self.root):
            return place
        return f"{path.relative_to(self.root)} in {place}"


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """A free path in a folder, for one writer alone; what is still there at the end is removed."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _flush(folder.parent)
    _sweep(folder)
    path = folder / f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        yield path
    finally:
        _remove(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among processes and threads; the system takes the lock back from one that dies."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _place(folder: Path, target: Path) -> None:
    """Rename a finished folder into place, which fails if there is one already."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise ReleaseExists(
                f"dataset {target.parent.name!r} has a release {target.name}, and a release never changes; "
                "publish under a new name"
            ) from error
        raise
    _flush(target.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Put the names in a folder on the disk, as `fsync` does for what a file holds."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read(path: Path) -> bytes:
    check_size(path.name, path.stat().st_size)
    return path.read_bytes()


def _sweep(folder: Path) -> None:
    """Remove what writers left that died long ago."""
    for path in folder.glob(f"{UNFINISHED}*"):
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:  # its writer has just finished
            continue
        if age > LEFTOVER_SECONDS:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _folders(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not folder.exists():
        return []  # nothing was ever published; what is there and no folder is an error that the system names
    return [path.name for path in folder.iterdir() if pattern.fullmatch(path.name) and path.is_dir()]
