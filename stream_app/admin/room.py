"""How many predictions there may be at a time, and how many bytes of bodies: who comes beyond that may come later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from monitoring.admin_metrics import AdminMetrics
from stream_app.admin.failures import TooOften
from stream_app.admin.folders import MEGABYTE

RETRY_SECONDS = 2


class Room:
    """For at most `cap` predictions, whose bodies have at most `megabytes` together; one alone has room in any case."""

    def __init__(self, cap: int, megabytes: int, metrics: AdminMetrics) -> None:
        self._cap, self._megabytes, self._metrics = cap, megabytes, metrics
        self.predictions = self.bytes = 0

    @contextmanager
    def place(self, told: int) -> Iterator[Place]:
        """Room for a prediction until it is answered; `told` is the size of its body as far as that is known."""
        if self.predictions >= self._cap:
            raise self._refusal(f"{self.predictions} predictions wait, the limit of admin.predictions_cap")
        self.predictions += 1
        place = Place(self)
        try:
            place.hold(told)
            yield place
        finally:
            self.predictions -= 1
            self.bytes -= place.bytes

    def take(self, size: int) -> None:
        """Room for so many bytes more. Raises TooOften."""
        if self.bytes + size > self._megabytes * MEGABYTE and self.predictions > 1:
            limit = f"{self._megabytes} MB, the limit of admin.predictions_megabytes"
            raise self._refusal(f"with this one the bodies of all predictions that wait would be larger than {limit}")
        self.bytes += size

    def _refusal(self, what: str) -> TooOften:
        self._metrics.observe_refused_prediction()
        return TooOften(f"{what}; send it again in {RETRY_SECONDS} s, or send fewer at once", RETRY_SECONDS)


class Place:
    """What one prediction holds."""

    def __init__(self, room: Room) -> None:
        self._room, self.bytes = room, 0

    def hold(self, size: int) -> None:
        """So many bytes in all are its body, as far as it has come. Raises TooOften."""
        if size > self.bytes:
            self._room.take(size - self.bytes)
            self.bytes = size
