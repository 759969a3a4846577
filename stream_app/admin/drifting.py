"""How datasets stand against their releases: what the workers scored, and what was predicted here, added up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from monitoring.scraped import add_up
from schemas.drift import Report
from schemas.errors import TidewatchError
from stream_app import fleet

TIMEOUT_SECONDS = 2.0  # of a worker: the page waits for it
KEPT_SECONDS = 4.0


@dataclass(frozen=True)
class Drifting:
    """What is known of drift now."""

    reports: Mapping[tuple[str, str], Report]  # by dataset and release
    silent: Sequence[str]  # workers that do not answer as workers


class DriftFigures:
    """Asks the workers when somebody looks, and remembers it for some seconds; for any thread."""

    def __init__(self, workers: Sequence[str], own: Callable[[], bytes]) -> None:
        """`own` gives the text of this service's own /metrics."""
        self._workers, self._own = workers, own
        self._looking = Lock()
        self._seen, self._at = Drifting({}, ()), float("-inf")

    def look(self) -> Drifting:
        """All datasets' drift, whoever owns them."""
        with self._looking:
            if monotonic() - self._at > KEPT_SECONDS:
                self._seen, self._at = self._ask(), monotonic()
            return self._seen

    def _ask(self) -> Drifting:
        with ThreadPoolExecutor(max(len(self._workers), 1)) as pool:
            told = dict(zip(self._workers, pool.map(_page, self._workers), strict=True))
        pages = [self._own().decode(), *(page for page in told.values() if page)]
        reports = {(report.dataset, report.release): report for report in add_up(pages).reports}
        return Drifting(reports, [worker for worker, page in told.items() if not page])


def _page(url: str) -> str | None:
    """A worker's /metrics; None if it is none, or does not answer."""
    try:
        page = fleet.page(url, TIMEOUT_SECONDS)
        add_up([page])
    except (TidewatchError, ValueError, LookupError):
        return None
    return page
