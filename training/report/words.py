"""Figures as a reader wants them: no more digits than mean something, with their unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

UNITS = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms"), (1, "µs"))


def number(value: float | None, digits: int = 4) -> str:
    """Some significant digits, thousands set apart; a dash where there is no value."""
    if value is None or math.isnan(value):
        return "–"
    if isinstance(value, int) or 10**digits <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"


def percent(share: float | None) -> str:
    """Two significant digits of a share, three from 1 % on."""
    if share is None or math.isnan(share):
        return "–"
    digits = 0 if share in (0, 1) else max(0, min(4, 1 - math.floor(math.log10(abs(share) * 100))))
    return f"{100 * share:.{digits}f} %"


def duration(micros: float) -> str:
    """In the largest unit of which there is at least one."""
    size, unit = next((pair for pair in UNITS if abs(micros) >= pair[0]), UNITS[-1])
    return f"{micros / size:.3g} {unit}"


def moment(micros: int, by_rows: bool = False) -> str:
    """A time as people read it, UTC, to the second or, if need be, the millisecond; or the row of which it stands."""
    if by_rows:
        return f"{micros // 1_000_000:,}"
    when = datetime.fromtimestamp(micros // 1_000_000, UTC)
    millis = micros % 1_000_000 // 1000
    return f"{when:%Y-%m-%d %H:%M:%S}" + (f".{millis:03d}" if millis else "")


def count(amount: int, thing: str, things: str | None = None) -> str:
    """An amount with its noun: `1 gap`, `2 gaps`, `3 series`."""
    return f"{amount:,} {thing if amount == 1 else things or thing + 's'}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a row, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
