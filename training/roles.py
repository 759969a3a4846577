"""The columns of a sheet while each is given its role: what is left, what was remarked, and how they look."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.faults import DataError
from training.grid import Resampling
from training.sheets import Sheet
from training.wording import option

LONGEST_NAME = 256  # characters of a series id, as on the wire


@dataclass(frozen=True)
class Wanted:
    """What the caller says of the files: columns by name, and the grid that readings are put on, if any.

    Where `reject` is true, rows of a text file that can not be read are left out, if they are few.

    `feature` and `value` are of files in long form: the columns of a row's feature, and of its value.
    """

    time: str | None = None
    series: str | None = None
    label: str | None = None
    ignore: tuple[str, ...] = ()
    feature: str | None = None
    value: str | None = None
    resample: Resampling | None = None
    reject: bool = False

    @property
    def named(self) -> list[tuple[str, str]]:
        """All columns that have a role by what the caller says, each after the option that says it."""
        label = [(option("label"), self.label)] if self.label else []
        return [*self.needed.items(), *label, *((option("ignore"), name) for name in self.ignore)]

    def over(self, earlier: Wanted) -> Wanted:
        """This, with what was said earlier where it says nothing."""
        return replace(earlier, **{name: value for name, value in vars(self).items() if value})

    @property
    def needed(self) -> dict[str, str]:
        """The columns that every file must have, by the option that names them."""
        named = {"time": self.time, "series": self.series, "feature": self.feature, "value": self.value}
        return {option(told): name for told, name in named.items() if name is not None}


@dataclass(frozen=True, eq=False)
class Names:
    """A column of names, each kept once: `codes` (row,) say which of `names` a row has."""

    names: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(eq=False)
class Reader:
    """Takes columns off a sheet one role at a time; what is left over in the end is features."""

    sheet: Sheet
    wanted: Wanted
    notes: list[str] = field(default_factory=list)

    @property
    def left(self) -> dict[str, pa.ChunkedArray]:
        """The columns that have no role yet."""
        return self.sheet.columns

    def error(self, row: int, column: str, problem: str) -> DataError:
        """What is wrong with one cell."""
        return DataError(f"{self.sheet.path} {self.sheet.place(row)}, column '{column}': {problem}")

    def names_in(self, column: str, what: str, told: str) -> Names:
        """Take a column of names off the sheet; a row without one, or with one too long, is an error."""
        texts = pc.utf8_trim_whitespace(self.left.pop(column).cast(pa.string()))
        lengths = pc.fill_null(pc.utf8_length(texts), 0)
        wrong = pc.or_(pc.equal(lengths, 0), pc.greater(lengths, LONGEST_NAME))
        if pc.any(wrong).as_py():
            row = pc.index(wrong, value=True).as_py()
            length = lengths[row].as_py()
            problem = f"no {what}" if not length else f"a {what} of {length} characters is longer than {LONGEST_NAME}"
            raise self.error(row, column, f"{problem}; mend or remove the line, or name another column with {told}")
        coded = texts.dictionary_encode().combine_chunks()
        return Names(tuple(coded.dictionary.to_pylist()), coded.indices.to_numpy())

    def named(self, names: Iterable[str]) -> list[str]:
        """The columns that are left whose name is one of `names`, in the order of `names`."""
        by_plain_name = {plain(name): name for name in reversed(self.left)}
        return [by_plain_name[name] for name in names if name in by_plain_name]


def plain(name: str) -> str:
    """A column's name without what people vary in: `Date Time`, `date_time` and `@date-time` are one."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a message, not too many."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def is_number(column: pa.ChunkedArray) -> bool:
    """Whether a column holds numbers, or nothing."""
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def is_text(column: pa.ChunkedArray) -> bool:
    """Whether a column holds text."""
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def sample(column: pa.ChunkedArray, most: int = 100) -> list[str]:
    """The first texts of a column, without those that are missing."""
    return [text.strip() for text in column.slice(0, most).drop_null().to_pylist()]


def examples(column: pa.ChunkedArray) -> str:
    """Two of a column's texts, for a message."""
    return ", ".join(f"{text!r:.60}" for text in list(dict.fromkeys(sample(column)))[:2])
