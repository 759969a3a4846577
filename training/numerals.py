"""A column of text as numbers, or as true and false: each text is looked at once, however often it occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from training.dialect import MISSING

SWITCHES = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, eq=False)
class Numerals:
    """What the texts of a column say, with blanks around them or not."""

    values: NDArray[np.float64]  # (row,), NaN where there is none
    stray: NDArray[np.bool_]  # (row,), a text that is neither a number nor missing
    switches: bool  # they are true and false, as 1 and 0
    are_numbers: bool  # most of those that are not missing

    @classmethod
    def of(cls, column: pa.ChunkedArray, decimal: str = ".") -> Numerals:
        """As what most of the texts are: 0 and 1 are true and false too, where most are written so."""
        coded = column.dictionary_encode().combine_chunks()
        codes = coded.indices.fill_null(len(coded.dictionary)).to_numpy()
        texts = coded.dictionary.to_pandas().astype(str).str.strip()
        counts = np.bincount(codes, minlength=len(texts) + 1)[:-1]
        values = pd.to_numeric(texts.str.replace(decimal, "."), errors="coerce").to_numpy(np.float64)
        switched = texts.str.lower().map(SWITCHES).to_numpy(np.float64)
        switches = bool(counts[~np.isnan(switched)].sum() > counts[~np.isnan(values)].sum())
        if switches:
            values = np.where(np.isnan(switched) & np.isin(values, (0.0, 1.0)), values, switched)
        missing = texts.str.lower().isin(MISSING).to_numpy(bool)
        stray = np.isnan(values) & ~missing
        few = bool(2 * counts[stray].sum() < counts[~missing].sum())
        return cls(np.append(values, np.nan)[codes], np.append(stray, False)[codes], switches, few or not stray.any())

    @property
    def column(self) -> pa.ChunkedArray:
        """As a column of numbers, or of true and false; a stray text is none."""
        values = pa.chunked_array([pa.array(self.values, from_pandas=True)])
        return values.cast(pa.bool_()) if self.switches else values
