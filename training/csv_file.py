"""A text table as typed columns: parsed by Arrow in blocks, each typed by itself, then brought to one type a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from training.dialect import MISSING, Dialect, is_comment, sniff
from training.faults import DataError, fault, no_utf8, sentence
from training.text_file import BLOCK_BYTES, BROKEN, blocks, open_bytes, open_text, records

SAMPLE_LINES, MOST_COMMENTS = 50, 1000
STRANGERS = (
    (re.compile(r"\s*<(!doctype|html|head|body|table|\?xml)\b", re.IGNORECASE), "looks like HTML or XML"),
    (re.compile(r'\s*(\{\s*("|\}|$)|\[\s*([{["\]]|$))'), "looks like JSON"),
)
FORMS = {form for word in MISSING for form in (word, word.upper(), word.capitalize())} | {"NaN", "-NaN"}
NULLS = sorted(FORMS | {f" {form}" for form in FORMS})  # Arrow trims numbers, and not these

Columns = dict[str, pa.ChunkedArray]


def dialect_of(path: Path, errors: str = "strict") -> Dialect:
    """How the file is written, by its first lines; a column without a name gets one."""
    dialect = sniff(_first_lines(path, errors))
    names = tuple(name or f"Unnamed: {index}" for index, name in enumerate(dialect.names))  # as pandas calls them
    return replace(dialect, names=names)


def read_columns(path: Path, dialect: Dialect, block: int = BLOCK_BYTES) -> Columns:
    """All columns, each of one type, text where nothing else holds all of it; memory for little more than those.

    A DataError names the line that has too few or too many fields, or is no UTF-8.
    """
    tables = _parsed(path, dialect, {}, block)
    kinds = {name: _common(table.schema.field(name).type for table in tables) for name in dialect.names}
    if any(kind is not None and pa.types.is_binary(kind) for kind in kinds.values()):
        raise no_utf8(path)
    columns = {name: _cast(tables, name, kind) for name, kind in kinds.items() if kind is not None}
    mixed = {name: pa.string() for name, kind in kinds.items() if kind is None}
    if mixed:  # a word among numbers, somewhere: these columns are read again, as they are written
        again = pa.concat_tables(_parsed(path, dialect, mixed, block))
        columns |= {name: again[name] for name in mixed}
    return {name: columns[name] for name in dialect.names}


def _parsed(path: Path, dialect: Dialect, kinds: dict[str, pa.DataType], block: int) -> list[pa.Table]:
    """A table for each block: of the columns `kinds`, or of all, typed by what the block holds."""
    header = next(line for _, line, _ in records(path, dialect)) if dialect.header else dialect.above
    skipped = header - dialect.above
    try:
        with open_bytes(path) as stream:
            pieces = blocks(stream, dialect, block)
            return [_table(piece, dialect, kinds, skipped * (not at)) for at, piece in enumerate(pieces)]
    except (pa.ArrowException, *BROKEN) as error:
        raise fault(path, dialect, error) from error


def _table(text: bytes, dialect: Dialect, kinds: dict[str, pa.DataType], skipped: int) -> pa.Table:
    return pacsv.read_csv(
        held_by_arrow(text),
        read_options=pacsv.ReadOptions(column_names=dialect.names, skip_rows=skipped),
        parse_options=pacsv.ParseOptions(delimiter=dialect.separator, newlines_in_values=b'"' in text),
        convert_options=pacsv.ConvertOptions(
            decimal_point=dialect.decimal,
            null_values=NULLS,
            strings_can_be_null=True,
            column_types=kinds,
            include_columns=list(kinds),
        ),
    )


def held_by_arrow(text: bytes) -> pa.BufferReader:
    """The text as a stream that has nothing of Python's.

    Arrow's threads let go of it after the parsing: while Python ends, what is Python's would abort the process.
    """
    copy = pa.BufferOutputStream()
    copy.write(text)
    return pa.BufferReader(copy.getvalue())


def _common(kinds: Iterator[pa.DataType]) -> pa.DataType | None:
    """The type that holds what all of these do; None if only the text as it is written does."""
    found = sorted({kind for kind in kinds if not pa.types.is_null(kind)}, key=str)
    if len(found) <= 1:
        return found[0] if found else pa.null()
    if set(found) == {pa.int64(), pa.float64()}:
        return pa.float64()
    if any(map(pa.types.is_binary, found)):
        return pa.binary()
    moments = {kind for kind in found if not pa.types.is_date(kind)}
    if all(map(pa.types.is_timestamp, moments)) and len({kind.tz for kind in moments}) == 1:
        zone = next(iter(moments)).tz
        return pa.timestamp("ns") if zone is None else pa.timestamp("ns", zone) if moments == set(found) else None
    return None


def _cast(tables: Sequence[pa.Table], name: str, kind: pa.DataType) -> pa.ChunkedArray:
    """One column of all blocks; whole numbers too large for a float's digits are rounded, as they are when read so."""
    pieces = [table[name].cast(kind, safe=pa.types.is_timestamp(kind)) for table in tables]
    return pa.chunked_array([chunk for piece in pieces for chunk in piece.chunks], kind)


def _first_lines(path: Path, errors: str) -> list[tuple[int, str]]:
    """The first lines that are not blank, by number, or a DataError for a file that has none or is no table."""
    lines: list[tuple[int, str]] = []
    number = comments = 0
    try:
        with open_text(path, errors) as stream:
            while len(lines) - comments < SAMPLE_LINES and (line := stream.readline(1 << 20)):
                number += 1
                comments += len(lines) == comments < MOST_COMMENTS and is_comment(line)
                lines += [(number, line)] if line.strip() else []
    except UnicodeDecodeError as error:
        raise no_utf8(path) from error
    except BROKEN as error:
        raise DataError(f"{path} can not be read: {sentence(error)}; copy or make it again") from error
    if not lines:
        raise DataError(f"{path} is empty; give a file with a line for each reading")
    what = next((what for pattern, what in STRANGERS if pattern.match(lines[0][1])), None)
    if what or any("\0" in line for _, line in lines):
        raise DataError(f"{path} {what or 'is no text'}; give CSV in UTF-8, CSV in gzip, or Parquet")
    return lines
