"""A text table as bytes and lines: unzipped, cut between records into blocks, and counted line by line."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from training.dialect import Dialect

GZIP = b"\x1f\x8b"
BROKEN = (OSError, EOFError, zlib.error, csv.Error)  # what reading an unfinished or damaged file raises
BLOCK_BYTES = 1 << 25
LONGEST_FIELD = 1 << 30  # characters; an open quote makes one field of all the lines below it


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unzipped if they are zipped, whatever its name says."""
    with path.open("rb") as file:
        zipped = file.read(len(GZIP)) == GZIP
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def open_text(path: Path, errors: str = "strict") -> IO[str]:
    """The file's lines as they are, without a byte order mark."""
    return io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", errors=errors, newline="")


def blocks(stream: IO[bytes], dialect: Dialect, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The table in pieces of about `size` bytes that end with a record; more only where a quote stays open for long."""
    separator, above = dialect.separator, dialect.above
    rest = b""
    while piece := stream.read(size):
        if above:
            piece, above = _below(piece, above), 0
        text = rest + piece
        end = last_end(text)
        rest = text[end:]
        if end:
            yield _tidy(text[:end], separator)
    if rest:
        yield _tidy(rest, separator)


def records(path: Path, dialect: Dialect, errors: str = "strict") -> Iterator[tuple[int, int, list[str]]]:
    """Every record that is not blank with its first and its last line, header included: slow, for errors."""
    csv.field_size_limit(LONGEST_FIELD)
    with open_text(path, errors) as stream:
        for _ in range(dialect.above):
            stream.readline()
        lines = (re.sub(r"[ \t]+", " ", line.strip()) for line in stream) if dialect.separator == " " else stream
        reader = csv.reader(lines, delimiter=dialect.separator)
        last = dialect.above
        for fields in reader:
            first, last = last + 1, dialect.above + reader.line_num
            if fields:
                yield first, last, fields


def last_end(text: bytes) -> int:
    """Where the last record ends: behind a line's end with an even number of quotes before it; 0 if there is none."""
    end = text.rfind(b"\n") + 1
    while end and text.count(b'"', 0, end) % 2:
        end = text.rfind(b"\n", 0, text.rfind(b'"', 0, end)) + 1
    return end


def _below(text: bytes, above: int) -> bytes:
    """Without the first lines, of which a quote would not be one of the table's."""
    lines = re.match(rb"(?:[^\r\n]*(?:\r\n|\r|\n)){%d}" % above, text)
    return text[lines.end() :] if lines else text


def _tidy(text: bytes, separator: str) -> bytes:
    """Columns aligned with several blanks are separated by one."""
    if separator != " ":
        return text
    return re.sub(rb"[ \t]+", b" ", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", text))
