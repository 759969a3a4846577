"""One file of readings, CSV (gz too) or Parquet, as typed columns; what is wrong with it is said with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.csv_file import dialect_of, read_columns
from training.dialect import Dialect
from training.faults import DataError, sentence
from training.text_file import records

PARQUET, ZIP = b"PAR1", b"PK\x03\x04"


@dataclass(frozen=True)
class Sheet:
    """A file's columns as they were typed on reading, to be taken off one by one; `dialect` is None for Parquet."""

    path: Path
    names: tuple[str, ...]  # of all columns, taken off or not
    rows: int
    columns: dict[str, pa.ChunkedArray]
    dialect: Dialect | None

    @classmethod
    def of(cls, path: Path, columns: dict[str, pa.ChunkedArray], dialect: Dialect | None) -> Sheet:
        """The columns of a file, at least one."""
        return cls(path, tuple(columns), len(next(iter(columns.values()))), columns, dialect)

    def place(self, row: int) -> str:
        """Where the data row `row` (0 is the first) is in the file, for a person: `line 17`."""
        if self.dialect is None:
            return f"row {row + 1}"
        for index, (line, _, _) in enumerate(records(self.path, self.dialect)):
            if index == row + self.dialect.header:
                return f"line {line}"
        return f"row {row + 1}"


def column_names(path: Path) -> tuple[str, ...]:
    """What the columns of a file are called, without reading more than its beginning or end."""
    if _magic(path) == PARQUET:
        with _parquet(path) as file:
            return tuple(file.schema_arrow.names)
    return dialect_of(path).names


def open_sheet(path: Path) -> Sheet:
    """Read one file, whatever it is; a DataError says what is wrong with it."""
    if _magic(path) == PARQUET:
        return Sheet.of(path, _parquet_columns(path), None)
    dialect = dialect_of(path)
    _refuse_twins(path, dialect.names)
    sheet = Sheet.of(path, read_columns(path, dialect), dialect)
    if not sheet.rows:
        raise DataError(f"{path} has a header and no readings; give a file with a line for each reading")
    return sheet


def is_text_file(path: Path) -> bool:
    """Whether its bytes are neither Parquet nor a zip archive."""
    return _magic(path) != PARQUET


def _magic(path: Path) -> bytes:
    """The file's first bytes, by which its format is told; its name may lie."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise DataError(f"{path} can not be read: {error.strerror}") from error
    if magic == ZIP:
        raise DataError(f"{path} is a zip archive (or a spreadsheet); give CSV, CSV in gzip, or Parquet")
    return magic


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(path, error) from error


def _parquet_columns(path: Path) -> dict[str, pa.ChunkedArray]:
    """The columns batch by batch, so that no more than they is ever in memory."""
    with _parquet(path) as file:
        _refuse_twins(path, file.schema_arrow.names)
        try:
            table = pa.Table.from_batches(file.iter_batches(), file.schema_arrow)
        except (pa.ArrowException, OSError) as error:
            raise _no_parquet(path, error) from error
    if not table.num_rows:
        raise DataError(f"{path} has columns and no rows; give a file with readings")
    return {name: _plain(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def _no_parquet(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is no whole Parquet file: {sentence(error)}; write it again")


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without the encodings that CSV never has: categories, decimals and views."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _refuse_twins(path: Path, names: Iterable[str]) -> None:
    """Two columns of one name can not be told apart."""
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise DataError(f"{path}: the header names column '{twins[0]}' twice; rename one of them")
