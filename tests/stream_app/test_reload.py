"""Releases in service: loaded when needed, replaced when promoted, refused when broken, dropped when unused."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.bundle import load
from models.detector import Detector
from models.store.local import LocalStore
from monitoring.metrics import WorkerMetrics, WorkerStatus, new_registry
from stream_app.reload import Load, Releases
from tests.tiny_release import publish, release_files

NOTHING = WorkerStatus(ready=False, last_commit_age=0, series=0, series_bytes=0, releases={}, partitions=())


class Bench:
    """Releases over a store in a folder."""

    def __init__(self, folder: Path, cap: int = 32, load: Load = load) -> None:
        self.folder = folder
        self.store = LocalStore(folder)
        self.metrics = WorkerMetrics(new_registry())
        self.releases = Releases(self.store, cap, self.metrics, load)

    def serving(self, dataset: str) -> str | None:
        detector = self.releases.serving(dataset)
        return None if detector is None else detector.release

    def spoil(self, dataset: str, release: str) -> None:
        """Damage a release's weights behind the store's back."""
        weights = next((self.folder / dataset / release).glob("*.pth"))
        weights.chmod(0o600)
        weights.write_bytes(b"nothing")

    def counted(self, name: str) -> bool:
        return f"tidewatch_{name} 1.0" in self.metrics.exposition(NOTHING).decode()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty store."""
    return Bench(tmp_path)


def test_a_detector_is_loaded_when_first_needed(bench: Bench):
    """Once, and then it is the very same one."""
    release = publish(bench.store, "pumps")
    assert bench.releases.in_service == {}
    detector = bench.releases.serving("pumps")
    assert detector is not None
    assert detector.release == release
    assert bench.releases.serving("pumps") is detector
    assert bench.releases.in_service == {"pumps": release}


def test_a_promoted_release_takes_over_at_the_next_look(bench: Bench):
    """Not before; a pointer that has not moved changes nothing."""
    first = publish(bench.store, "pumps")
    assert bench.serving("pumps") == first
    second = publish(bench.store, "pumps", seed=1)
    assert bench.serving("pumps") == first
    bench.releases.look()
    detector = bench.releases.serving("pumps")
    assert detector is not None
    assert detector.release == second
    bench.releases.look()
    assert bench.releases.serving("pumps") is detector
    assert bench.counted('reloads_total{dataset="pumps"}')


def test_a_dataset_without_a_release_gets_it_when_it_is_there(bench: Bench):
    """Until then there is nothing to serve; names that no store holds never have one."""
    assert bench.serving("pumps") is None
    assert bench.serving("../etc") is None
    publish(bench.store, "pumps")
    assert bench.serving("pumps") is None
    bench.releases.look()
    assert bench.serving("pumps") == release_files("pumps")[0]
    assert bench.serving("../etc") is None


def test_a_broken_release_is_refused_once_and_the_old_one_serves_on(bench: Bench, caplog: pytest.LogCaptureFixture):
    """Counted and logged once, however often it is looked at."""
    first = publish(bench.store, "pumps")
    assert bench.serving("pumps") == first
    second = publish(bench.store, "pumps", seed=1)
    bench.spoil("pumps", second)
    for _ in range(3):
        bench.releases.look()
    assert bench.serving("pumps") == first
    assert bench.counted('releases_refused_total{dataset="pumps"}')
    assert sum(second in record.message for record in caplog.records) == 1


def test_a_worker_that_starts_falls_back_to_what_served_before(bench: Bench):
    """A broken champion must not leave a dataset without a detector where an earlier one is whole."""
    first, second = publish(bench.store, "pumps"), publish(bench.store, "pumps", seed=1)
    bench.spoil("pumps", second)
    assert bench.serving("pumps") == first
    third = publish(bench.store, "pumps", seed=2)
    bench.releases.look()
    assert bench.serving("pumps") == third


def test_the_longest_unused_detector_goes(tmp_path: Path):
    """With a cap of two, the third dataset takes the place of the one that was not asked for."""
    bench = Bench(tmp_path, cap=2)
    for dataset in ("a", "b", "c"):
        publish(bench.store, dataset)
    for dataset in ("a", "b", "a", "c"):
        bench.releases.serving(dataset)
    assert set(bench.releases.in_service) == {"a", "c"}
    assert bench.releases.retired("b")
    assert not bench.releases.retired("a")
    assert bench.counted('detectors_dropped_total{dataset="b"}')


def test_a_detector_dropped_while_its_new_release_is_loaded_stays_dropped(tmp_path: Path):
    """The scoring thread may need its place meanwhile; it is loaded anew when it is needed again."""
    needed: list[str] = []

    def load_meanwhile(files: Mapping[str, bytes]) -> Detector:
        if needed:
            tight.serving(needed.pop())
        return load(files)

    tight = Bench(tmp_path, 1, load_meanwhile)
    for dataset in ("a", "b"):
        publish(tight.store, dataset)
    tight.serving("a")
    promoted = publish(tight.store, "a", seed=1)
    needed.append("b")
    tight.releases.look()
    assert set(tight.releases.in_service) == {"b"}
    assert tight.serving("a") == promoted


def test_readings_without_a_release_are_said_once_a_minute(bench: Bench, caplog: pytest.LogCaptureFixture):
    """Each minute with the number since the last time."""
    said = []
    for now in range(0, 121, 2):
        bench.releases.skipped("ghosts", 5)
        caplog.clear()
        bench.releases.tell(float(now))
        said += [(now, record.message) for record in caplog.records if record.levelno == logging.WARNING]
    assert [now for now, _ in said] == [0, 60, 120]
    assert "5 readings" in said[0][1]
    assert "150 readings" in said[1][1]


def test_adopting_is_said_once_for_all_partitions(bench: Bench, caplog: pytest.LogCaptureFixture):
    """Every partition goes over by itself; one line is enough."""
    publish(bench.store, "pumps")
    detector = bench.releases.serving("pumps")
    assert detector is not None
    caplog.set_level(logging.INFO)
    for _ in range(8):
        bench.releases.adopted(detector, windows_survive=False)
    (said,) = [record.message for record in caplog.records if "warm up" in record.message]
    assert detector.release in said
