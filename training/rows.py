"""All rows of all series, filled and scaled, a block at a time: what lies on disk need not be in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.missing import fill
from models.scaling import Scaler
from training import loader
from training.artifacts import Artifacts
from training.split import PARTS, Split
from training.table import Piece, Table, pieces, to_batch, write_batches

WORDS = pa.array([*PARTS, "between"])  # the part of a row


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of one series, ready to be cut into windows."""

    piece: Piece
    filled: NDArray[np.float64]  # (row, feature) raw units, nothing missing
    scaled: NDArray[np.float32]  # (row, feature) not clipped


def blocks(table: Table, cut: Split, scaler: Scaler, hold_limit: int) -> Iterator[Block]:
    """The rows in order. A block is filled from the rows before it, as far as a value is held."""
    for piece in pieces(table.series):
        before = min(hold_limit, piece.rows.start)
        values = piece.series.values[piece.rows.start - before : piece.rows.stop]
        segments = cut.segments[piece.place.start - before : piece.place.stop]
        filled = fill(values, segments, hold_limit, scaler.mean)[before:]
        yield Block(piece, filled, scaler.transform(filled))


def write(artifacts: Artifacts, table: Table, cut: Split, scaler: Scaler, hold_limit: int) -> None:
    """Leave the filled readings for people, each with its part, and the scaled ones for the networks."""
    rows = loader.create(artifacts, table.rows, len(table.features))
    labelled = any(series.labels is not None for series in table.series)

    def written() -> Iterator[pa.RecordBatch]:
        for block in blocks(table, cut, scaler, hold_limit):
            rows[block.piece.place] = block.scaled
            filled = replace(block.piece.taken, values=block.filled)
            part = pa.DictionaryArray.from_arrays(pa.array(cut.parts[block.piece.place]), WORDS)
            yield to_batch(filled, table.features, labelled).append_column("part", part)

    write_batches(written(), artifacts.cleaned)
    rows.flush()
