"""The worst events, as the page tells and draws them: actual against expected, and who is to blame."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.evaluation import Event
from schemas.flag import Attribution
from training.report.words import moment

DRAWN = 4  # features of each event: those most to blame
BARS = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Happening:
    """An event, told."""

    event: Event
    by_rows: bool  # times are row numbers

    @property
    def span(self) -> str:
        """From the end of its first flagged window to that of its last."""
        start, end = (moment(micros(each), self.by_rows) for each in (self.event.start, self.event.end))
        both = start if start == end else f"{start} to {end}"
        return f"rows {both}" if self.by_rows else f"{both} UTC"

    @property
    def blamed(self) -> list[Attribution]:
        """The features most to blame, with their shares."""
        return self.event.attribution[:BARS]

    @property
    def drawn(self) -> list[Attribution]:
        """Those of them that are drawn."""
        return [one for one in self.event.attribution if one.feature in self.event.actual][:DRAWN]

    def as_columns(self) -> dict[str, object]:
        """For the page: times in milliseconds, and each drawn feature's values."""
        event = self.event
        return {
            "series": event.series_id,
            "start": micros(event.start) / 1000,
            "end": micros(event.end) / 1000,
            "times": [micros(each) / 1000 for each in event.timestamps],
            "features": [
                {"name": name, "actual": event.actual[name], "expected": event.expected[name]}
                for name in (one.feature for one in self.drawn)
            ],
        }


def micros(text: str) -> int:
    """Microseconds UTC of an RFC 3339 time."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
