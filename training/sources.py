"""What each of several files was taken for, and whether they go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.columns import Columns
from training.faults import DataError
from training.wording import option


@dataclass(frozen=True)
class Source:
    """What a file was taken for."""

    file: Path
    features: tuple[str, ...]
    feature_column: str | None
    time_column: str | None
    time_form: str
    series_column: str | None
    label_column: str | None
    notes: tuple[str, ...]

    @classmethod
    def of(cls, file: Path, columns: Columns) -> Source:
        """Without the readings."""
        return cls(
            file,
            columns.features,
            None if columns.long is None else columns.long.feature_column,
            columns.time_column,
            columns.times.form,
            columns.series_column,
            columns.label_column,
            columns.notes,
        )


def refuse_other_shape(first: Source, other: Source) -> None:
    """All files are in one form, all have times or none has, and wide ones have the same features, in any order."""
    if (first.feature_column is None) != (other.feature_column is None):
        long, wide = (first, other) if other.feature_column is None else (other, first)
        raise DataError(
            f"{long.file} is in long form (column '{long.feature_column}' names features) and {wide.file} is not; "
            "give files of one form"
        )
    if (first.time_column is None) != (other.time_column is None):
        timed, without = (first, other) if other.time_column is None else (other, first)
        raise DataError(
            f"{without.file} has no column of times, which {timed.file} has ('{timed.time_column}'); "
            f"name one that all have with {option('time')}, or give files of one kind"
        )
    lacking, more = _beyond(first.features, other.features), _beyond(other.features, first.features)
    if first.feature_column is None and (lacking or more):
        name, (without, holder) = (lacking or more)[0], (other, first) if lacking else (first, other)
        ignoring = option("ignore", f"'{name}'")
        raise DataError(
            f"{without.file} has no numeric column '{name}', which {holder.file} has; "
            f"give files of one shape, or {ignoring}"
        )


def _beyond(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """The names that the others have not, in their order."""
    known = frozenset(others)
    return [name for name in names if name not in known]
