"""The columns of a sheet while each is given its role: what is left, what was remarked, and how they look."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from training.sheets import DataError, Sheet


@dataclass(frozen=True)
class Wanted:
    """The columns that the caller names."""

    time: str | None = None
    series: str | None = None
    label: str | None = None
    ignore: tuple[str, ...] = ()


@dataclass(eq=False)
class Reader:
    """Takes columns off a sheet one role at a time; what is left over in the end is features."""

    sheet: Sheet
    wanted: Wanted
    left: dict[str, pa.ChunkedArray]
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.sheet.columns.values())))

    def error(self, row: int, column: str, problem: str) -> DataError:
        """What is wrong with one cell."""
        return DataError(f"{self.sheet.path} {self.sheet.place(row)}, column '{column}': {problem}")

    def named(self, names: Iterable[str]) -> Iterable[str]:
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
    return ", ".join(repr(text) for text in list(dict.fromkeys(sample(column)))[:2])
