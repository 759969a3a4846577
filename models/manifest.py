"""Whether files are a whole release: decided from the manifest and the digests alone, before anything is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from schemas.errors import TidewatchError
from schemas.manifest import FORMAT, Manifest

MANIFEST = "manifest.json"
FILE_NAME = re.compile(r"[a-z0-9_]{1,64}\.(json|yaml|pth)")
LARGEST_TEXT = 64 * 2**20  # bytes
LARGEST_TENSORS = 2 * 2**30  # bytes


class BundleError(TidewatchError):
    """A release can not be used: names the file and the reason."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file} {reason}")
        self.file = file
        self.reason = reason


class _AnyFormat(msgspec.Struct):
    format: int


def digest(content: bytes) -> str:
    """SHA-256 in hex digits."""
    return sha256(content).hexdigest()


def check(files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a release whose files are those it names, to the byte; else a BundleError."""
    for name, content in files.items():
        check_size(name, len(content))
    if MANIFEST not in files:
        raise BundleError(MANIFEST, "is missing; a release without it is not whole: publish it again")
    manifest = read(files[MANIFEST])
    for name in sorted(manifest.files.keys() | files.keys() - {MANIFEST}):
        _check_file(name, manifest.files.get(name), files.get(name))
    return manifest


def read(content: bytes) -> Manifest:
    """A manifest's bytes, parsed; one of another format is refused before its other fields are looked at."""
    try:
        found = msgspec.json.decode(content, type=_AnyFormat).format
        if found != FORMAT:
            way = "update Tidewatch" if found > FORMAT else "train again"
            raise BundleError(MANIFEST, f"has format {found}, this program reads {FORMAT}: {way}")
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(MANIFEST, f"can not be read ({error}); publish the release again") from error


def check_size(name: str, size: int) -> None:
    """Refuse a file that is too large to be one of a release, before it is read."""
    largest = LARGEST_TENSORS if name.endswith(".pth") else LARGEST_TEXT
    if size > largest:
        raise BundleError(name, f"has {size} bytes, at most {largest} are allowed; make the networks smaller")


def _check_file(name: str, promised: str | None, content: bytes | None) -> None:
    if not FILE_NAME.fullmatch(name):
        raise BundleError(repr(name), "is not a name that a file of a release can have")
    if promised is None:
        raise BundleError(name, "is not in the manifest; remove it, or publish the release again")
    if content is None:
        raise BundleError(name, "is in the manifest but missing; publish the release again")
    if digest(content) != promised:
        raise BundleError(name, "is damaged: its SHA-256 is not the manifest's; publish the release again")
