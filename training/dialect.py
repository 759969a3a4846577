"""How a text table is written: separator, decimal mark and header, told from its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

SEPARATORS = (";", "\t", "|", ",", " ")
MISSING = frozenset(["", "na", "n/a", "<na>", "#n/a", "nan", "-nan", "null", "none", "?", "-", "--", "#div/0!"])
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2}.*)?")
NAMED_SEPARATOR = re.compile(r'"?sep=([;\t|, ])"?\s*', re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+|[-+]?\d+\.")


@dataclass(frozen=True)
class Dialect:
    """Enough to read the rest: `names` are the header's, or made up (`f0`, `f1`...) where there is none."""

    separator: str
    decimal: str
    header: bool
    names: tuple[str, ...]
    above: int = 0  # lines of the file that are not the table's
    comment: str = ""  # the first of them, if it is one


def is_comment(line: str) -> bool:
    """Whether a line above the table is a comment, unless it is the header."""
    return line.startswith("#") and re.split(r"[;\t|, ]", line.strip().lower())[0] not in MISSING


def sniff(lines: Sequence[tuple[int, str]]) -> Dialect:
    """The dialect of a table by its first lines with their numbers (at least one, none of them blank).

    A first line such as `sep=;` tells the separator, as Excel takes it. Comments stand above the header, or are it.
    """
    separator = NAMED_SEPARATOR.fullmatch(lines[0][1])
    if separator and len(lines) > 1:
        return replace(_sniff([line for _, line in lines[1:]], separator[1]), above=lines[0][0])
    comments = list(takewhile(is_comment, (line for _, line in lines)))
    rest = [line for _, line in lines[len(comments) :]]
    if not comments or not rest:
        return _sniff([line for _, line in lines])
    table = _sniff(rest)
    with_header = _sniff([comments[-1], *rest], table.separator)
    if not table.header and len(with_header.names) == len(table.names):
        table = with_header
        del comments[-1]
    return replace(table, above=lines[len(comments) - 1][0], comment=comments[0].strip()) if comments else table


def _sniff(lines: Sequence[str], separator: str = "") -> Dialect:
    """Of lines that are all the table's."""
    separator = separator or _separator(lines)
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
