"""What goes into the metrics comes out of them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from monitoring.metrics import ChunkRecord, DatasetRecord, PartitionStatus, WorkerMetrics, WorkerStatus, new_registry


def status(**told: object) -> WorkerStatus:
    """Nothing is going on, but for what is told."""
    usual: dict[str, object] = {
        "ready": True,
        "last_commit_age": 0.0,
        "series": 0,
        "series_bytes": 0,
        "releases": {},
        "partitions": (),
    }
    return WorkerStatus(**(usual | told))  # type: ignore[arg-type]


def samples(metrics: WorkerMetrics, at: WorkerStatus) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of /metrics by name and labels."""
    families = text_string_to_metric_families(metrics.exposition(at).decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def labels(**given: str) -> frozenset[tuple[str, str]]:
    """Labels as they are in `samples`."""
    return frozenset(given.items())


def test_a_chunk_is_counted_once_by_topic_dataset_and_stage():
    """Two chunks add up."""
    metrics = WorkerMetrics(new_registry())
    counts = DatasetRecord(readings=9, windows=7, flags=2, late=1, duplicates=1)
    chunk = ChunkRecord("readings", 12, 3000, False, 1, 2, 1, {"decode": 1}, {"pumps": counts}, {"window": 0.5})
    metrics.observe_chunk(chunk)
    metrics.observe_chunk(chunk)
    seen = samples(metrics, status())
    assert seen["tidewatch_records_total", labels(topic="readings")] == 24
    assert seen["tidewatch_key_mismatches_total", labels(topic="readings")] == 4
    assert seen["tidewatch_unserved_readings_total", labels()] == 2
    assert seen["tidewatch_dead_letters_total", labels(stage="decode")] == 2
    assert seen["tidewatch_windows_scored_total", labels(dataset="pumps")] == 14
    assert seen["tidewatch_late_readings_total", labels(dataset="pumps")] == 2
    assert seen["tidewatch_stage_seconds_total", labels(stage="window")] == 1


def test_what_is_replayed_is_not_counted_as_results():
    """Its flags and dead letters were counted by whoever published them."""
    metrics = WorkerMetrics(new_registry())
    counts = DatasetRecord(readings=12, windows=9, flags=3)
    metrics.observe_chunk(ChunkRecord("readings", 12, 3000, True, 1, 2, 3, {"value": 1}, {"pumps": counts}, {}))
    seen = samples(metrics, status())
    assert seen["tidewatch_replayed_records_total", labels(topic="readings")] == 12
    for name in ("records", "record_bytes", "tombstones", "key_mismatches"):
        assert (f"tidewatch_{name}_total", labels(topic="readings")) not in seen
    assert seen["tidewatch_unserved_readings_total", labels()] == 0
    assert ("tidewatch_flags_total", labels(dataset="pumps")) not in seen
    assert ("tidewatch_dead_letters_total", labels(stage="value")) not in seen


def test_a_lag_that_is_not_known_is_not_told():
    """It is not 0, or an alert would be silent just when the brokers are away."""
    seen = samples(WorkerMetrics(new_registry()), status(partitions=(PartitionStatus("readings", 3, None, 10),)))
    assert ("tidewatch_commit_lag_records", labels(topic="readings", partition="3")) not in seen
    assert seen["tidewatch_in_flight_records", labels(topic="readings", partition="3")] == 10


def test_gauges_say_how_things_are_now():
    """A partition or a release that is gone is gone from /metrics too."""
    metrics = WorkerMetrics(new_registry())
    before = status(releases={"pumps": "r1"}, partitions=(PartitionStatus("readings", 3, 40, 10),), series=5)
    seen = samples(metrics, before)
    assert seen["tidewatch_commit_lag_records", labels(topic="readings", partition="3")] == 40
    assert seen["tidewatch_release_info", labels(dataset="pumps", release="r1")] == 1
    assert seen["tidewatch_series", labels()] == 5
    seen = samples(metrics, status(ready=False, releases={"pumps": "r2"}))
    assert seen["tidewatch_ready", labels()] == 0
    assert seen["tidewatch_assigned_partitions", labels()] == 0
    assert ("tidewatch_commit_lag_records", labels(topic="readings", partition="3")) not in seen
    assert ("tidewatch_release_info", labels(dataset="pumps", release="r1")) not in seen
    assert seen["tidewatch_release_info", labels(dataset="pumps", release="r2")] == 1
