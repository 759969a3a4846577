"""The beginning of an upload as a file of its own: small enough to be looked at while somebody waits for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stream_app.admin.failures import TooMuch, Unusable
from stream_app.admin.folders import MEGABYTE
from stream_app.admin.kinds import Kind
from training.csv_file import SAMPLE_LINES
from training.dialect import SEPARATORS
from training.text_file import last_end, open_bytes

SAMPLE_BYTES = 4 << 20
SAMPLE_ROWS, SAMPLE_CELLS = 20_000, 2_000_000  # of a Parquet file
MOST_COLUMNS = 2_000
LONGEST_LINE = 256 << 10  # bytes; 2,000 columns of a hundred bytes each
# Of a Parquet file, which may say much with few bytes.
MOST_CELLS, LONGEST_LIST, LONGEST_TEXT = 1_000_000_000, 100, 4_096


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
    first = [line for line in lines[: 2 * SAMPLE_LINES] if line.strip()]  # comments may stand above the header
    separators = [separator.encode() for separator in SEPARATORS if separator != " "]
    _check_columns(1 + max((line.count(separator) for line in first for separator in separators), default=0))


def _check_columns(count: int) -> None:
    if count > MOST_COLUMNS:
        raise TooMuch(
            f"the file has {count:,} columns, more than {MOST_COLUMNS:,}; leave out those that are not needed"
        )


def _parquet(path: Path, target: Path) -> bool:
    with _opened(path) as (file, texts):
        about, batch = file.metadata, next(_batches(file), None)
        table = pa.Table.from_batches([batch] if batch else [])
    for at, name in enumerate(table.column_names):
        if pa.types.is_dictionary(table.column(at).type):
            _check_texts(name, table.column(at).combine_chunks().dictionary)
            if name in texts:
                table = table.set_column(at, name, table.column(at).combine_chunks().dictionary_decode())
    pq.write_table(table, target)
    return bool(table.num_rows >= about.num_rows)


def check_unpacked(path: Path, megabytes: int) -> None:
    """Refuse a Parquet file whose columns would take more than so much memory, however few its bytes are."""
    with _opened(path) as (file, _):
        told = sum(file.metadata.row_group(number).total_byte_size for number in range(file.num_row_groups))
        sizes = (sum(map(_unpacked, batch.columns)) for batch in _batches(file))
        if any(size > megabytes * MEGABYTE for size in chain([told], accumulate(sizes))):
            raise TooMuch(f"the Parquet file unpacks to more than {megabytes} MB; send it in parts")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[pq.ParquetFile, list[str]]]:
    """A file whose footer is in order, and its columns of text: a long one that stands in each row comes once."""
    try:
        with pq.ParquetFile(path) as file:
            _check_footer(file.metadata)
            texts = [one.name for one in file.schema_arrow if _is_text(one.type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            yield file, texts
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unusable(
            f"the file is no whole Parquet file ({str(error).splitlines()[0]:.200}); write it again"
        ) from None


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    rows = min(SAMPLE_ROWS, max(SAMPLE_CELLS // max(file.metadata.num_columns, 1), 1))
    yield from file.iter_batches(min(rows, max(file.metadata.num_rows, 1)))


def _unpacked(column: pa.Array) -> int:
    """The bytes of a column when each of its texts stands by itself."""
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return int(column.nbytes)
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0


def _check_footer(about: pq.FileMetaData) -> None:
    """What the file says of itself, before anything is unpacked."""
    _check_columns(about.num_columns)
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    cells = sum(group.column(at).num_values for group in groups for at in range(group.num_columns))
    if cells > MOST_CELLS or cells > LONGEST_LIST * about.num_rows * about.num_columns:
        raise TooMuch(
            f"the file has {cells:,} values in {about.num_rows:,} rows of {about.num_columns:,} columns; send fewer"
        )


def _check_texts(name: str, texts: pa.Array) -> None:
    """Refuse a column of text that is a novel in each row."""
    longest = max((len(text.as_buffer()) for text in texts if text.is_valid), default=0) if _is_text(texts.type) else 0
    if longest > LONGEST_TEXT:
        raise TooMuch(
            f"column {name!r:.60} holds a text of {longest:,} bytes, more than {LONGEST_TEXT:,}; leave it out"
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))
