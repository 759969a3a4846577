"""SHA-256 of all that shapes a stage: files by their content, values by their JSON, and the code itself.

A file is always read, never judged by its size and time: a copy may keep both, and a hundred megabytes take a tenth of
a second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

CODE = ("schemas", "models", "training")  # the packages that decide what a stage leaves
LIBRARIES = ("numpy", "torch")  # that round as they like


def of_value(value: Any) -> str:
    """Of anything that JSON can say."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def of_file(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_files(root: Path, patterns: Iterable[str]) -> dict[str, str]:
    """Path below `root` -> digest, of all files there that match a pattern; a hard link is read once."""
    by_inode: dict[int, str] = {}
    digests = {}
    for path in matching(root, patterns):
        inode = path.stat().st_ino
        if inode not in by_inode:
            by_inode[inode] = of_file(path)
        digests[path.relative_to(root).as_posix()] = by_inode[inode]
    return digests


def matching(root: Path, patterns: Iterable[str]) -> list[Path]:
    """The files below `root` that match a pattern, in order of their paths."""
    return sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})


@cache
def of_code() -> str:
    """Of the sources that compute, and of the versions of the libraries below them."""
    root = Path(__file__).parents[1]
    sources = [of_files(root / package, ["**/*"]) for package in CODE]
    written = [(path, digest) for files in sources for path, digest in files.items() if "__pycache__" not in path]
    return of_value([written, [version(name) for name in LIBRARIES]])
