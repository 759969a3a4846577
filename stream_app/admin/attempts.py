"""Wrong tokens are counted by address: who sends them too often is told to wait."""

from __future__ import annotations

from collections import OrderedDict

from stream_app.admin.failures import TooOften

WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000


class Attempts:
    """The failures of each address in the minute since its first."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, address: str, at: float) -> None:
        """Refuse an address that failed too often; `at` is a monotonic time in seconds."""
        began, count = self._since.get(address, (at, 0))
        left = began + WINDOW_SECONDS - at
        if count >= self.cap and left > 0:
            raise TooOften(f"{count} wrong tokens came from {address}; try again in {left:.0f} s", int(left) + 1)

    def failed(self, address: str, at: float) -> None:
        """Count a failure; the address that failed first is forgotten when there are too many."""
        began, count = self._since.get(address, (at, 0))
        self._since[address] = (at, 1) if at - began >= WINDOW_SECONDS else (began, count + 1)
        if len(self._since) > MOST_ADDRESSES:
            self._since.popitem(last=False)
