"""Rows of a text file that can not be read, by line: found in one pass, left out of a copy whose lines stay in place.

This is slow beside Arrow, and needed only for a file that Arrow's way has refused.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Self

from training.dialect import DATE, MISSING, Dialect
from training.faults import DataError
from training.text_file import open_bytes, records

MOST_SHARE = 0.01  # of the rows; more than these are no slips
ALWAYS = 3  # so many may be left out of a short file
FEW = 3  # that a message names
SAMPLE_ROWS = 50  # by which a column's kind is told
BEYOND = 3.4e38  # float32

NUMBER, TIME, TEXT = "a number", "a time", "text"


class Rejected(NamedTuple):
    """A row that is left out."""

    line: int  # its first, from 1
    reason: str


def find(path: Path, dialect: Dialect) -> tuple[list[Rejected], list[range], int]:
    """Rows that do not fit the others, the lines (from 1) that they take, and the number of rows."""
    kinds = _kinds(path, dialect)
    rejected, lines, rows = list[Rejected](), list[range](), 0
    for index, (first, last, fields) in enumerate(records(path, dialect, errors="surrogateescape")):
        if index == 0 and dialect.header:
            continue
        rows += 1
        if reason := _problem(fields, kinds, dialect):
            rejected.append(Rejected(first, reason))
            lines.append(range(first, last + 1))
    return rejected, lines, rows


def copy_without(path: Path, lines: Sequence[range], target: Path) -> None:
    """The text with these lines, in their order, made blank: what is said of the others still names their place."""
    gone = iter(lines)
    now = next(gone, range(0))
    with (
        io.TextIOWrapper(open_bytes(path), encoding="utf-8", errors="surrogateescape", newline="") as source,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as copy,
    ):
        for number, line in enumerate(source, start=1):
            while now and number >= now.stop:
                now = next(gone, range(0))
            copy.write("\n" if number in now else line)


def are_few(rejected: int, rows: int) -> bool:
    """Whether so many may be left out."""
    return rejected < rows and rejected <= max(ALWAYS, MOST_SHARE * rows)


def _kinds(path: Path, dialect: Dialect) -> list[str]:
    """What most of the first values of each column are."""
    sample = [fields for _, _, fields in _first(path, dialect) if len(fields) == len(dialect.names)]
    return [_kind(column, dialect.decimal) for column in zip(*sample, strict=True)]


def _first(path: Path, dialect: Dialect) -> Iterator[tuple[int, int, list[str]]]:
    for index, record in enumerate(records(path, dialect, errors="surrogateescape")):
        if index > SAMPLE_ROWS:
            return
        if index or not dialect.header:
            yield record


def _kind(texts: Sequence[str], decimal: str) -> str:
    known = [text.strip() for text in texts if text.strip().lower() not in MISSING]
    for kind, fits in ((NUMBER, lambda text: _number(text, decimal) is not None), (TIME, DATE.fullmatch)):
        if 2 * sum(bool(fits(text)) for text in known) > len(known):
            return kind
    return TEXT


def _problem(fields: Sequence[str], kinds: Sequence[str], dialect: Dialect) -> str:
    """Why a row is left out; empty if it is not."""
    if len(fields) != len(dialect.names):
        return f"{len(fields)} field{'s' * (len(fields) != 1)} instead of {len(dialect.names)}"
    for name, text, kind in zip(dialect.names, map(str.strip, fields), kinds, strict=True):
        if any("\udc80" <= letter <= "\udcff" for letter in text):
            return f"column '{name}': a byte that is no UTF-8"
        if kind == TEXT or text.lower() in MISSING:
            continue
        if kind == TIME and not DATE.fullmatch(text):
            return f"column '{name}': {text[:40]!r} is no time"
        if kind == NUMBER and (number := _number(text, dialect.decimal)) is None:
            return f"column '{name}': {text[:40]!r} is no number"
        if kind == NUMBER and not (number is not None and math.isfinite(number) and abs(number) < BEYOND):
            return f"column '{name}': {text[:40]} is infinite or beyond 3.4e38"
    return ""


def _number(text: str, decimal: str) -> float | None:
    if text.lower() in {"true", "false"}:
        return float(text.lower() == "true")
    try:
        return float(text.replace(decimal, ".")) if "_" not in text else None
    except ValueError:
        return None


class Copies:
    """Copies of files without their bad rows, while they are read: a context manager; an error in it names the file."""

    def __init__(self) -> None:
        self.rejected: list[Rejected] = []
        self._folder = TemporaryDirectory()
        self._of: dict[Path, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()
        if isinstance(error, DataError) and self._of:
            text = str(error)
            for copy, file in self._of.items():
                text = text.replace(str(copy), str(file))
            raise DataError(text) from None

    def make(self, file: Path, dialect: Dialect, error: DataError) -> Path | None:
        """A copy to be read instead, or None if no row is to blame for `error`. Raises DataError if too many are."""
        bad, lines, rows = find(file, dialect)
        if not bad:
            return None
        if not are_few(len(bad), rows):
            raise DataError(f"{error} ({len(bad)} of {rows} rows can not be read: too many to leave out)")
        copy = Path(self._folder.name) / f"{len(self._of)}" / file.name.removesuffix(".gz")
        copy.parent.mkdir()
        copy_without(file, lines, copy)
        self.rejected += bad
        self._of[copy] = file
        return copy


def spelled(rejected: Sequence[Rejected]) -> str:
    """In a line, the first of many."""
    more = f" and {len(rejected) - FEW} more" if len(rejected) > FEW else ""
    return ", ".join(f"line {one.line}: {one.reason}" for one in rejected[:FEW]) + more
