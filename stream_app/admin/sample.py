"""The beginning of an upload as a file of its own: small enough to be looked at while somebody waits for an answer."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stream_app.admin.failures import TooMuch, Unusable
from stream_app.admin.kinds import Kind
from training.dialect import SEPARATORS
from training.text_file import last_end, open_bytes

SAMPLE_BYTES = 4 << 20
SAMPLE_ROWS = 20_000  # of a Parquet file
MOST_COLUMNS = 2_000
LONGEST_LINE = 256 << 10  # bytes; 2,000 columns of a hundred bytes each
MOST_CELLS = 1_000_000_000  # of a Parquet file, which may say much with few bytes


def take(path: Path, kind: Kind, target: Path) -> bool:
    """Write the beginning of an upload to `target`, and say whether that is all of it.

    What would take long or much memory to be understood is refused: very many columns, lines without an end.
    """
    return _parquet(path, target) if kind == "parquet" else _text(path, target)


def _text(path: Path, target: Path) -> bool:
    with open_bytes(path) as stream:
        text = stream.read(SAMPLE_BYTES)
        is_all = not stream.read(1)
    _check_lines(text)
    if not is_all:
        text = text[: last_end(text) or text.rfind(b"\n") + 1]
    target.write_bytes(text)
    return is_all


def _check_lines(text: bytes) -> None:
    """Of the lines alone, before anything takes them apart."""
    lines = text.replace(b"\r", b"\n").split(b"\n")
    longest = max(range(len(lines)), key=lambda at: len(lines[at]))
    if len(lines[longest]) > LONGEST_LINE:
        raise Unusable(
            f"line {longest + 1} is longer than {LONGEST_LINE >> 10} kB; give a file with a line for each reading"
        )
    first = next((line for line in lines if line.strip()), b"")
    columns = 1 + max(first.count(separator.encode()) for separator in SEPARATORS if separator != " ")
    _check_columns(columns)


def _check_columns(count: int) -> None:
    if count > MOST_COLUMNS:
        raise TooMuch(
            f"the file has {count:,} columns, more than {MOST_COLUMNS:,}; leave out those that are not needed"
        )


def _parquet(path: Path, target: Path) -> bool:
    try:
        with pq.ParquetFile(path) as file:
            about = file.metadata
            _check_columns(about.num_columns)
            if about.num_rows * about.num_columns > MOST_CELLS:
                raise TooMuch(
                    f"the file has {about.num_rows:,} rows of {about.num_columns:,} columns; send fewer at once"
                )
            batches = file.iter_batches(min(SAMPLE_ROWS, max(about.num_rows, 1)))
            table = pa.Table.from_batches([batch] if (batch := next(batches, None)) else [], file.schema_arrow)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unusable(
            f"the file is no whole Parquet file ({str(error).splitlines()[0]:.200}); write it again"
        ) from None
    pq.write_table(table, target)
    return bool(table.num_rows >= about.num_rows)
