"""What a process tells Prometheus: frozen records go in, once a chunk, and come out as counters and gauges.

What every process that scores tells is in `Metrics`, the worker's own in `WorkerMetrics`, the admin's own in
`admin_metrics.py`.

No label per series, and none that a stranger's reading could make up: `dataset` is always one with a release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

__all__ = [
    "CONTENT_TYPE_LATEST",
    "COUNTERS",
    "GAUGES",
    "HISTOGRAMS",
    "SHARED",
    "CheckpointRecord",
    "ChunkRecord",
    "CollectorRegistry",
    "DatasetRecord",
    "Described",
    "Metrics",
    "PartitionStatus",
    "WorkerMetrics",
    "WorkerStatus",
    "new_registry",
    "samples",
]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class DatasetRecord:
    """What one chunk did to one dataset: each field is a count."""

    readings: int = 0
    windows: int = 0
    flags: int = 0
    late: int = 0
    duplicates: int = 0
    gaps: int = 0
    warm_ups: int = 0
    imputed_values: int = 0
    unknown_values: int = 0


@dataclass(frozen=True)
class ChunkRecord:
    """What came of one chunk of a readings topic."""

    topic: str
    records: int
    size: int  # bytes of its values
    replayed: bool
    tombstones: int = 0
    key_mismatches: int = 0
    unserved: int = 0  # readings of datasets without a release
    dead_letters: Mapping[str, int] = field(default_factory=dict)  # by stage
    datasets: Mapping[str, DatasetRecord] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)  # by stage


@dataclass(frozen=True)
class CheckpointRecord:
    """One checkpoint of one partition, written."""

    seconds: float  # to copy and to write it
    series: int
    size: int  # bytes


@dataclass(frozen=True)
class PartitionStatus:
    """Where one partition stands."""

    topic: str
    partition: int
    commit_lag: int | None  # records between the committed offset and the end of the log; None if that is not known
    in_flight: int  # records fetched and not yet confirmed


@dataclass(frozen=True)
class WorkerStatus:
    """What is true at the moment of a scrape."""

    ready: bool
    last_commit_age: float  # seconds, 0 while there is nothing to commit
    series: int
    series_bytes: int
    releases: Mapping[str, str]  # dataset -> release in service
    partitions: tuple[PartitionStatus, ...]


def new_registry() -> CollectorRegistry:
    """A registry of its own for a process, with its memory and processor time in it."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second time series for every counter, that nobody asks for
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def samples(text: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Name, labels and value of each sample of a /metrics page; ValueError if it is none."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


Described = Mapping[str, tuple[str, tuple[str, ...]]]  # name -> what it says, and its labels


class Metrics:
    """What every process that scores readings tells of them, in a registry that is handed in."""

    def __init__(
        self, registry: CollectorRegistry, counters: Described, gauges: Described, histograms: Mapping[str, str]
    ) -> None:
        """Those of `SHARED` must be among them."""
        self._registry = registry
        self._counters = {
            name: Counter(f"tidewatch_{name}", text, labels, registry=registry)
            for name, (text, labels) in counters.items()
        }
        self._gauges = {
            name: Gauge(f"tidewatch_{name}", text, labels, registry=registry) for name, (text, labels) in gauges.items()
        }
        self._histograms = {
            name: Histogram(f"tidewatch_{name}", text, buckets=SECONDS, registry=registry)
            for name, text in histograms.items()
        }

    def observe_dataset(self, dataset: str, counts: DatasetRecord) -> None:
        """Count what became of some of a dataset's readings."""
        for name, attribute in _OF_DATASET.items():
            self._add(name, getattr(counts, attribute), dataset)

    def observe_model(self, seconds: float) -> None:
        """The networks took so long for the windows of a turn."""
        self._add("stage_seconds", seconds, "model")

    def observe_drift(self, seconds: float) -> None:
        """The statistics of a turn took so long."""
        self._add("stage_seconds", seconds, "drift")

    def observe_dropped_detector(self, dataset: str) -> None:
        """A detector was dropped to stay below the cap."""
        self._add("detectors_dropped", 1, dataset)

    def observe_refusal(self, dataset: str) -> None:
        """A release that was promoted can not be used."""
        self._add("releases_refused", 1, dataset)

    def observe_reload(self, dataset: str) -> None:
        """Another release was put into service."""
        self._add("reloads", 1, dataset)

    def _text(self, releases: Mapping[str, str]) -> bytes:
        """All of it as Prometheus reads it, with the releases in service by dataset."""
        self._gauges["release_info"].clear()
        for dataset, release in releases.items():
            self._gauges["release_info"].labels(dataset, release).set(1)
        return generate_latest(self._registry)

    def _add(self, name: str, amount: float, *labels: str) -> None:
        self._child(name, labels).inc(amount)

    @cache  # noqa: B019 -- there is one of us in a process, and few labels; finding a child costs more than counting
    def _child(self, name: str, labels: tuple[str, ...]) -> Counter:
        return self._counters[name].labels(*labels) if labels else self._counters[name]


class WorkerMetrics(Metrics):
    """The worker's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry, COUNTERS, GAUGES, HISTOGRAMS)

    def observe_chunk(self, chunk: ChunkRecord) -> None:
        """Count a chunk, once."""
        kind = "replayed_records" if chunk.replayed else "records"
        self._add(kind, chunk.records, chunk.topic)
        for stage, seconds in chunk.seconds.items():
            self._add("stage_seconds", seconds, stage)
        if not chunk.replayed:  # else they were counted by whoever published them
            self._observe_results(chunk)

    def _observe_results(self, chunk: ChunkRecord) -> None:
        self._add("record_bytes", chunk.size, chunk.topic)
        self._add("tombstones", chunk.tombstones, chunk.topic)
        self._add("key_mismatches", chunk.key_mismatches, chunk.topic)
        self._add("unserved_readings", chunk.unserved)
        for stage, count in chunk.dead_letters.items():
            self._add("dead_letters", count, stage)
        for dataset, counts in chunk.datasets.items():
            self.observe_dataset(dataset, counts)

    def observe_publishing(self, seconds: float) -> None:
        """The flags and dead letters of a chunk were confirmed after so long."""
        self._histograms["publish_seconds"].observe(seconds)
        self._add("stage_seconds", seconds, "publish")

    def observe_checkpoint(self, checkpoint: CheckpointRecord) -> None:
        """A partition's checkpoint was written."""
        self._histograms["checkpoint_seconds"].observe(checkpoint.seconds)
        self._add("checkpoint_series", checkpoint.series)
        self._add("checkpoint_bytes", checkpoint.size)

    def observe_evictions(self, count: int) -> None:
        """So many series were dropped to stay below the cap."""
        self._add("evictions", count)

    def observe_fetch(self, seconds: float) -> None:
        """Fetched records took so long to be unpacked."""
        self._add("stage_seconds", seconds, "fetch")

    def exposition(self, status: WorkerStatus) -> bytes:
        """The text of /metrics, with gauges that say how things are at this moment."""
        for name in ("ready", "last_commit_age_seconds", "series", "series_bytes"):
            attribute = name.removesuffix("_seconds")
            self._gauges[name].set(float(getattr(status, attribute)))
        self._set_partitions(status.partitions)
        return self._text(status.releases)

    def _set_partitions(self, partitions: tuple[PartitionStatus, ...]) -> None:
        self._gauges["assigned_partitions"].set(len(partitions))
        for name in ("commit_lag", "in_flight"):
            gauge = self._gauges[f"{name}_records"]
            gauge.clear()
            for one in partitions:
                if (value := getattr(one, name)) is not None:
                    gauge.labels(one.topic, str(one.partition)).set(value)


COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "records": ("Records read, whether they are readings or not; without those replayed.", ("topic",)),
    "replayed_records": ("Records read again after a rebalance, to bring the state up to date.", ("topic",)),
    "record_bytes": ("Bytes of values read; without those replayed.", ("topic",)),
    "tombstones": ("Records without a value.", ("topic",)),
    "key_mismatches": ("Readings whose key is not their series id.", ("topic",)),
    "unserved_readings": ("Readings of datasets that have no release in service; they are not scored.", ()),
    "dead_letters": ("Records sent to the dead-letter topic.", ("stage",)),
    "readings": ("Readings of datasets with a release.", ("dataset",)),
    "windows_scored": ("Windows scored.", ("dataset",)),
    "flags": ("Windows flagged as anomalies.", ("dataset",)),
    "late_readings": ("Readings older than their series' newest, dropped.", ("dataset",)),
    "duplicate_readings": ("Readings as old as their series' newest, dropped.", ("dataset",)),
    "gaps": ("Pauses of a series so long that its window began anew.", ("dataset",)),
    "warm_ups": ("Windows begun with a first reading: of a new series, or after a gap.", ("dataset",)),
    "imputed_values": ("Missing values that were filled in.", ("dataset",)),
    "unknown_values": ("Values of features that the release does not know, ignored.", ("dataset",)),
    "evictions": ("Series dropped from memory to stay below the cap.", ()),
    "detectors_dropped": ("Detectors dropped from memory, with their series, to stay below the cap.", ("dataset",)),
    "stage_seconds": ("Time spent, by stage; of the scoring thread's stages its CPU time.", ("stage",)),
    "checkpoint_series": ("Series written to state topics.", ()),
    "checkpoint_bytes": ("Bytes written to state topics.", ()),
    "reloads": ("Releases put into service in place of another.", ("dataset",)),
    "releases_refused": ("Releases that were promoted but can not be used.", ("dataset",)),
}

_OF_DATASET = {
    "readings": "readings",
    "windows_scored": "windows",
    "flags": "flags",
    "late_readings": "late",
    "duplicate_readings": "duplicates",
    "gaps": "gaps",
    "warm_ups": "warm_ups",
    "imputed_values": "imputed_values",
    "unknown_values": "unknown_values",
}

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ready": ("1 when partitions are assigned and their state is loaded.", ()),
    "last_commit_age_seconds": ("Time since the last commit, 0 while there is nothing to commit.", ()),
    "series": ("Series in memory.", ()),
    "series_bytes": ("Memory that they take.", ()),
    "release_info": ("1 for each release in service.", ("dataset", "release")),
    "assigned_partitions": ("Partitions that this worker has.", ()),
    "commit_lag_records": ("Records between the committed offset and the end of the log.", ("topic", "partition")),
    "in_flight_records": ("Records fetched and not yet confirmed.", ("topic", "partition")),
}

HISTOGRAMS: dict[str, str] = {
    "checkpoint_seconds": "Time to copy and write one checkpoint.",
    "publish_seconds": "Time to send what a chunk led to until it is confirmed; without its wait for the chunk before.",
}

SHARED = (*_OF_DATASET, "stage_seconds", "detectors_dropped", "reloads", "releases_refused")  # counters of `Metrics`
