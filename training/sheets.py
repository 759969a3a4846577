"""One file of readings, CSV (gz too) or Parquet, as typed columns; what is wrong with it is said with its line."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from schemas.errors import TidewatchError
from training.dialect import MISSING, Dialect, sniff

SAMPLE_LINES = 50
GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
FORMS = {form for word in MISSING for form in (word, word.upper(), word.capitalize())} | {"NaN", "-NaN"}
NULLS = sorted(FORMS | {f" {form}" for form in FORMS})  # Arrow trims numbers, and not these


class DataError(TidewatchError):
    """A file of readings can not be used: names the file, the line or column, the rule, and the way out."""


@dataclass(frozen=True)
class Sheet:
    """A file's columns by name, as they were typed on reading; `dialect` is None for Parquet."""

    path: Path
    columns: dict[str, pa.ChunkedArray]
    dialect: Dialect | None

    def place(self, row: int) -> str:
        """Where the data row `row` (0 is the first) is in the file, for a person: `line 17`."""
        if self.dialect is None:
            return f"row {row + 1}"
        for index, (line, _, _) in enumerate(_records(self.path, self.dialect)):
            if index == row + self.dialect.header:
                return f"line {line}"
        return f"row {row + 1}"


def open_sheet(path: Path) -> Sheet:
    """Read one file, whatever it is; a DataError says what is wrong with it."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise DataError(f"{path} can not be read: {error.strerror}") from error
    if magic.startswith(ZIP):
        raise DataError(f"{path} is a zip archive (or a spreadsheet); give CSV, CSV in gzip, or Parquet")
    return _open_parquet(path) if magic == PARQUET else _open_csv(path)


def _open_parquet(path: Path) -> Sheet:
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no whole Parquet file: {_sentence(error)}; write it again") from error
    if not table.num_rows:
        raise DataError(f"{path} has columns and no rows; give a file with readings")
    _refuse_twins(path, table.column_names)
    columns = {name: _plain(column) for name, column in zip(table.column_names, table.columns, strict=True)}
    return Sheet(path, columns, None)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without the encodings that CSV never has: categories and decimals."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _open_csv(path: Path) -> Sheet:
    dialect = sniff(_first_lines(path))
    _refuse_twins(path, [name for name in dialect.names if name])
    names = [name or f"Unnamed: {index}" for index, name in enumerate(dialect.names)]  # as pandas calls them
    try:
        table = _parse(path, dialect, names)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _fault(path, dialect, error) from error
    if not table.num_rows:
        raise DataError(f"{path} has a header and no readings; give a file with a line for each reading")
    _refuse_bytes(path, table)
    return Sheet(path, {name: table[name] for name in names}, dialect)


def _parse(path: Path, dialect: Dialect, names: list[str]) -> pa.Table:
    """Let Arrow parse and type the columns."""
    skipped = next(line for _, line, _ in _records(path, dialect)) if dialect.header else 0
    with _bytes(path) as stream:
        source = io.BytesIO(_squeezed(stream.read())) if dialect.separator == " " else stream
        return pacsv.read_csv(
            source,
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=skipped),
            parse_options=pacsv.ParseOptions(delimiter=dialect.separator),
            convert_options=pacsv.ConvertOptions(
                decimal_point=dialect.decimal, null_values=NULLS, strings_can_be_null=True
            ),
        )


def _squeezed(text: bytes) -> bytes:
    """Columns aligned with several blanks are separated by one."""
    return re.sub(rb"[ \t]+", b" ", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", text))


def _first_lines(path: Path) -> list[str]:
    """The first lines that are not blank, or a DataError for a file that has none or is no text."""
    lines: list[str] = []
    try:
        with _text(path) as stream:
            while len(lines) < SAMPLE_LINES and (line := stream.readline(1 << 20)):
                lines += [line] if line.strip() else []
    except UnicodeDecodeError as error:
        raise _no_utf8(path) from error
    except (OSError, EOFError) as error:
        raise DataError(f"{path} can not be read: {_sentence(error)}") from error
    if not lines:
        raise DataError(f"{path} is empty; give a file with a line for each reading")
    if any("\0" in line for line in lines):
        raise DataError(f"{path} is no text; give CSV in UTF-8, CSV in gzip, or Parquet")
    return lines


def _refuse_twins(path: Path, names: list[str]) -> None:
    """Two columns of one name can not be told apart."""
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise DataError(f"{path}: the header names column '{twins[0]}' twice; rename one of them")


def _refuse_bytes(path: Path, table: pa.Table) -> None:
    """Arrow types a column that is no UTF-8 as binary."""
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _no_utf8(path)


def _no_utf8(path: Path) -> DataError:
    """Name the first line that is no UTF-8."""
    with _bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                found = line[error.start]
                return DataError(f"{path} line {number}: byte 0x{found:02x} is no UTF-8; save the file as UTF-8")
    return DataError(f"{path} is no UTF-8; save the file as UTF-8")


def _fault(path: Path, dialect: Dialect, error: Exception) -> DataError:
    """Find, slowly and exactly, the line that Arrow stumbled over."""
    try:
        for line, _, fields in _records(path, dialect):
            if len(fields) != len(dialect.names):
                found = f"{len(fields)} field{'s' * (len(fields) != 1)}"
                quoted = " (a quote on it ends lines below)" if any("\n" in field for field in fields) else ""
                return DataError(
                    f"{path} line {line} has {found}{quoted}, the first line {len(dialect.names)}; mend or remove it"
                )
    except UnicodeDecodeError:
        return _no_utf8(path)
    except (OSError, EOFError) as broken:
        return DataError(f"{path} can not be read to its end: {_sentence(broken)}")
    return DataError(f"{path} can not be read: {_sentence(error)}")


def _records(path: Path, dialect: Dialect) -> Iterator[tuple[int, int, list[str]]]:
    """Every record that is not blank with its first and its last line, header included: slow, for errors."""
    with _text(path) as stream:
        lines = (re.sub(r"[ \t]+", " ", line.strip()) for line in stream) if dialect.separator == " " else stream
        reader = csv.reader(lines, delimiter=dialect.separator)
        last = 0
        for fields in reader:
            first, last = last + 1, reader.line_num
            if fields:
                yield first, last, fields


def _bytes(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def _text(path: Path) -> IO[str]:
    return io.TextIOWrapper(_bytes(path), encoding="utf-8-sig", newline="")


def _sentence(error: Exception) -> str:
    """The first line of a library's message, without its full stop."""
    return str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__


def first(mask: pa.ChunkedArray) -> int:
    """The first row where a mask is true."""
    return int(pc.index(mask, value=True).as_py())
