"""What an upload is, told by its bytes; and that it does not become very much more when it is unpacked."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal

from stream_app.admin.failures import TooMuch, Unusable, WrongKind
from stream_app.admin.folders import MEGABYTE

Kind = Literal["csv", "csv.gz", "parquet"]

PARQUET, GZIP = b"PAR1", b"\x1f\x8b"
# Others that people send, by their first bytes.
STRANGERS = {
    b"PK": "a zip archive, or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"%PDF": "a PDF",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x89PNG": "a picture",
    b"\x7fELF": "a program",
    b"SQLite format 3": "a database",
    b"\x80\x04\x95": "a pickle",
}
UNPACKED = 4  # times the limit of a file is what it may hold when it is unpacked
FIRST_BYTES = 1 << 16
PIECE_BYTES = 1 << 20


def kind_of(path: Path, unpacked_megabytes: int) -> Kind:
    """CSV, gzip of it, or Parquet. Raises WrongKind, or TooMuch if it unpacks to more than so many megabytes."""
    with path.open("rb") as file:
        first = file.read(FIRST_BYTES)
    if first.startswith(PARQUET):
        return "parquet"
    if first.startswith(GZIP):
        _check_text(_unpacked_start(path), "what the gzip holds")
        _check_size(path, unpacked_megabytes * MEGABYTE)
        return "csv.gz"
    _check_text(first, "the file")
    return "csv"


def _check_text(first: bytes, what: str) -> None:
    for magic, name in STRANGERS.items():
        if first.startswith(magic):
            raise WrongKind(f"{what} is {name}; give CSV, CSV in gzip, or Parquet")
    if first.startswith((PARQUET, GZIP)):
        raise WrongKind(f"{what} is packed twice; give CSV, CSV in gzip, or Parquet")
    if b"\0" in first:
        raise WrongKind(f"{what} is no text: it has bytes that are zero; give CSV as UTF-8, CSV in gzip, or Parquet")
    if not first.strip():
        raise Unusable(f"{what} is empty; give a file with readings")


def _unpacked_start(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            return stream.read(FIRST_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(error) from None


def _check_size(path: Path, limit: int) -> None:
    """Unpack all of it, and keep nothing."""
    size = 0
    try:
        with gzip.open(path) as stream:
            while piece := stream.read(PIECE_BYTES):
                size += len(piece)
                if size > limit:
                    raise TooMuch(f"the gzip unpacks to more than {limit // MEGABYTE} MB; send it in parts")
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(error) from None


def _broken(error: Exception) -> Unusable:
    return Unusable(f"the gzip is broken ({error}); pack it again")
