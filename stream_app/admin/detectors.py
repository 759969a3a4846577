"""The detectors that predictions ask for: those in service, as a worker has them, and a few others by their release."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from models import bundle
from models.detector import Detector
from models.store.base import ChampionMissing, ReleaseMissing, Store, check_names, naming
from stream_app.admin.failures import Missing
from stream_app.reload import Releases

log = logging.getLogger(__name__)


class Detectors:
    """Loaded when first asked for, replaced when another is promoted, at most `cap` of each kind; for any thread."""

    def __init__(self, store: Store, releases: Releases, cap: int, poll_seconds: float) -> None:
        self.releases = releases
        self._store, self._cap, self._poll_seconds = store, cap, poll_seconds
        self._named: OrderedDict[tuple[str, str], Detector] = OrderedDict()
        self._finding = Lock()

    def find(self, dataset: str, release: str | None = None) -> Detector:
        """The detector in service, or that of a release. Raises Missing, ReleaseMissing, BundleError."""
        with self._finding:
            detector = self.releases.serving(dataset)
            if detector is None:
                self.releases.look()  # it may have its first release since it was last asked for
                detector = self.releases.serving(dataset)
            if release is not None and (detector is None or detector.release != release):
                return self._of(dataset, release)
            return detector or self._champion(dataset)

    def look(self) -> None:
        """Go over to what was promoted, now."""
        with self._finding:
            self.releases.look()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Meanwhile, go over to what is promoted, every few seconds."""
        ended = Event()
        thread = Thread(target=self._watch, args=(ended,), name="releases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: Event) -> None:
        while not ended.wait(self._poll_seconds):
            try:
                self.look()
            except Exception:
                log.exception("looking for promoted releases failed; it is tried again")

    def _champion(self, dataset: str) -> Detector:
        """The release that is to serve and could not be loaded, once more, to be told why."""
        champion = self._store.champion(dataset)
        if champion is None:
            raise Missing(f"dataset '{dataset}' has no release in service; upload readings to it, or promote a release")
        try:
            return self._of(dataset, champion.release)
        except ReleaseMissing as error:
            raise ChampionMissing(dataset, champion.release) from error

    def _of(self, dataset: str, release: str) -> Detector:
        key = (dataset, release)
        if key not in self._named:
            check_names(dataset, release)
            with naming(dataset, release):
                self._named[key] = bundle.load(self._store.fetch(dataset, release))
        self._named.move_to_end(key)
        while len(self._named) > self._cap:
            self._named.popitem(last=False)
        return self._named[key]
