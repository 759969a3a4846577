"""How a text table is written: separator, decimal mark and header, told from its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SEPARATORS = (";", "\t", "|", ",", " ")
MISSING = frozenset(["", "na", "n/a", "<na>", "#n/a", "nan", "-nan", "null", "none", "?", "-", "--", "#div/0!"])
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2}.*)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+|[-+]?\d+\.")


@dataclass(frozen=True)
class Dialect:
    """Enough to read the rest: `names` are the header's, or made up (`f0`, `f1`...) where there is none."""

    separator: str
    decimal: str
    header: bool
    names: tuple[str, ...]


def sniff(lines: Sequence[str]) -> Dialect:
    """The dialect of a table by its first lines (at least one, none of them blank)."""
    separator = _separator(lines)
    rows = [[field.strip() for field in row] for row in csv.reader(_squeezed(lines, separator), delimiter=separator)]
    decimal = "," if separator != "," and _has_decimal_commas(rows) else "."
    header = _is_header(rows[0], rows[1] if len(rows) > 1 else None, decimal)
    width = len(str(len(rows[0]) - 1))
    names = rows[0] if header else [f"f{index:0{width}d}" for index in range(len(rows[0]))]
    return Dialect(separator, decimal, header, tuple(names))


def _separator(lines: Sequence[str]) -> str:
    """The separator that cuts most lines into one same number of fields, two or more; a comma if none does."""

    def regularity(separator: str) -> float:
        widths = Counter(map(len, csv.reader(_squeezed(lines, separator), delimiter=separator)))
        width, lines_of_that_width = widths.most_common(1)[0]
        return lines_of_that_width / len(lines) if width > 1 else 0.0

    found = [(regularity(separator), separator) for separator in SEPARATORS]
    best = max(share for share, _ in found)
    likely = [separator for share, separator in found if share > 0.9 * best > 0]
    return likely[0] if likely else ","


def _squeezed(lines: Sequence[str], separator: str) -> list[str]:
    """Columns aligned with several blanks are separated by one."""
    return [re.sub(r"[ \t]+", " ", line.strip()) for line in lines] if separator == " " else list(lines)


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    """Whether numbers are certain to be written 1,5: some are, and none has a point."""
    fields = [field for row in rows for field in row]
    return any(map(DECIMAL_COMMA.fullmatch, fields)) and not any(map(DECIMAL_POINT.fullmatch, fields))


def _is_header(first: list[str], second: list[str] | None, decimal: str) -> bool:
    """Whether the first row names columns: words where the second has values, or words only, or 0, 1, 2..."""
    counted = [field for field in first if field] == [str(index) for index in range(len(list(filter(None, first))))]
    if counted and len(first) > 1:
        return True
    words = [_is_word(field, decimal) for field in first]
    if second is None or len(second) != len(first):
        return all(words)
    values = [field != "" and not _is_word(field, decimal) for field in second]
    return all(words) or any(word and value for word, value in zip(words, values, strict=True))


def _is_word(field: str, decimal: str) -> bool:
    """Whether a field is neither a number, a time nor missing."""
    if field.lower() in MISSING or DATE.fullmatch(field):
        return False
    try:
        float(field.replace(decimal, "."))
    except ValueError:
        return True
    return False
