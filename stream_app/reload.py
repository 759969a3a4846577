"""The releases in service: loaded when first needed, replaced when another is promoted, dropped when long unused."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice
from threading import Lock

from models.bundle import load
from models.detector import Detector
from models.store.base import Store
from monitoring.metrics import Metrics
from schemas.errors import TidewatchError
from schemas.manifest import Champion
from stream_app.logs import Seldom

log = logging.getLogger(__name__)

UNSERVED_CAP = 1000  # names of datasets without a release that are remembered: anybody can make up more
FALLBACKS = 3  # releases tried, from the champion backwards, when a dataset is first needed
SAY_EVERY_SECONDS = 60.0

Load = Callable[[Mapping[str, bytes]], Detector]


class Releases:
    """What `partition.Detectors` asks for. `look` and `tell` belong to a thread beside the scoring one.

    A release that can not be used is refused once: counted, logged, and never tried again; what served before it goes
    on serving. A store that can not be read is an error when a dataset is first needed, and a warning after that.
    """

    def __init__(self, store: Store, cap: int, metrics: Metrics, load: Load = load) -> None:
        """At most `cap` detectors are kept loaded."""
        self._store = store
        self._cap = cap
        self._metrics = metrics
        self._load = load
        self._lock = Lock()
        self._serving: dict[str, Detector] = {}
        self._used: dict[str, int] = {}
        self._turns = count()
        self._unserved: OrderedDict[str, None] = OrderedDict()
        self._skipped: Counter[str] = Counter()  # readings of datasets without a release, since it was last said
        self._said_at: dict[str, float] = {}
        self._refused: set[tuple[str, str]] = set()
        self._adopted: set[tuple[str, str]] = set()
        self._dropping, self._store_away = Seldom(), Seldom()

    @property
    def in_service(self) -> dict[str, str]:
        """The release of each loaded dataset."""
        with self._lock:
            return {dataset: detector.release for dataset, detector in self._serving.items()}

    @property
    def detectors(self) -> list[Detector]:
        """The detectors that are loaded."""
        with self._lock:
            return list(self._serving.values())

    # -- in the scoring thread

    def serving(self, dataset: str) -> Detector | None:
        """The dataset's detector, loaded if need be; None if it has no release that can be used."""
        detector = self._serving.get(dataset)
        if detector is None and dataset not in self._unserved:
            detector = self._first(dataset)
        if detector is not None:
            self._used[dataset] = next(self._turns)
        return detector

    def retired(self, dataset: str) -> bool:
        """True if the dataset's detector was dropped from memory, and its series must go with it."""
        return dataset not in self._serving

    def skipped(self, dataset: str, readings: int) -> None:
        """So many readings of a dataset without a release were passed over."""
        with self._lock:
            self._skipped[dataset] += readings

    def adopted(self, detector: Detector, windows_survive: bool) -> None:
        """A partition has gone over to this detector; said once."""
        key = (detector.dataset, detector.release)
        if key not in self._adopted:
            self._adopted.add(key)
            what = "windows are kept" if windows_survive else "features or window differ, so windows warm up again"
            log.info("dataset '%s' is now served by release %s: %s", *key, what)

    def _first(self, dataset: str) -> Detector | None:
        detector = next(self._usable(dataset), None)
        with self._lock:
            if detector is None:
                self._unserved[dataset] = None
                if len(self._unserved) > UNSERVED_CAP:
                    self._unserved.popitem(last=False)
            else:
                self._put(dataset, detector)
        return detector

    def _usable(self, dataset: str) -> Iterator[Detector]:
        champion = self._champion(dataset)
        releases = [] if champion is None else [champion.release, *reversed(champion.previous)]
        for release in islice(releases, FALLBACKS):
            detector = self._try(dataset, release)
            if detector is not None:
                log.info("dataset '%s' is served by release %s", dataset, release)
                yield detector

    def _put(self, dataset: str, detector: Detector) -> None:
        """Put a detector into service; the longest unused goes if there are too many."""
        self._unserved.pop(dataset, None)
        self._serving[dataset] = detector
        self._used.setdefault(dataset, next(self._turns))
        while len(self._serving) > self._cap:
            idle = min(self._serving, key=lambda name: self._used.get(name, -1) if name != dataset else float("inf"))
            del self._serving[idle]
            self._metrics.observe_dropped_detector(idle)
            if said := self._dropping.due():
                log.warning(
                    "%d detectors dropped from memory with their series, such as that of dataset '%s': more than "
                    "worker.detectors_cap=%d datasets have readings",
                    *(said, idle, self._cap),
                )

    # -- beside it

    def look(self) -> None:
        """See whether another release was promoted for any dataset that is known; load it and put it into service."""
        with self._lock:
            known: dict[str, str | None] = dict.fromkeys(self._unserved)
        for dataset, release in (known | self.in_service).items():
            try:
                self._replace(dataset, release)
            except OSError as error:
                if self._store_away.due():
                    log.warning("the store can not be read, looking again soon: %s", error)
                return

    def _replace(self, dataset: str, release: str | None) -> None:
        champion = self._champion(dataset)
        if champion is None or champion.release == release:
            return
        detector = self._try(dataset, champion.release)
        if detector is None:
            return
        with self._lock:
            if release is not None and dataset not in self._serving:
                return  # dropped meanwhile: it is loaded anew when it is needed again
            self._put(dataset, detector)
        self._metrics.observe_reload(dataset)
        log.info("release %s of dataset '%s' is loaded", champion.release, dataset)

    def _champion(self, dataset: str) -> Champion | None:
        try:
            return self._store.champion(dataset)
        except TidewatchError as error:  # no name for a dataset, or a pointer that makes no sense
            log.debug("dataset '%s' has no champion: %s", dataset, error)
            return None

    def _try(self, dataset: str, release: str) -> Detector | None:
        """The release, checked; None if it is, or was, refused."""
        if (dataset, release) in self._refused:
            return None
        try:
            return self._load(self._store.fetch(dataset, release))
        except TidewatchError as error:
            self._refused.add((dataset, release))
            self._metrics.observe_refusal(dataset)
            log.error("release %s of dataset '%s' is refused: %s", release, dataset, error)
            return None

    def tell(self, now: float) -> None:
        """Say, at most once a minute for each, which datasets have readings and no release; `now` in seconds."""
        with self._lock:
            self._said_at = {name: at for name, at in self._said_at.items() if now - at < SAY_EVERY_SECONDS}
            skipped = {name: self._skipped.pop(name) for name in list(self._skipped) if name not in self._said_at}
            self._said_at.update(dict.fromkeys(skipped, now))
        for name, readings in islice(skipped.items(), 10):
            log.warning(
                "dataset '%s' has no release: %d readings not scored; train one with `tidewatch train --dataset %s`",
                *(name, readings, name),
            )
        if len(skipped) > 10:
            log.warning("and %d more datasets have no release", len(skipped) - 10)
