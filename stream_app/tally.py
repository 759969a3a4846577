"""What metrics and drift hear of readings that were judged, whoever asked: a partition of the worker, or the admin."""

from __future__ import annotations

from models.stream import Cut, Observed
from monitoring.metrics import DatasetRecord
from schemas.drift import Sample


def counts(observed: Observed, unknown: int = 0) -> DatasetRecord:
    """What became of the readings; `unknown` are values of features that the detector does not know."""
    of = observed.counts
    return DatasetRecord(
        readings=of.readings,
        windows=of.windows,
        flags=int(observed.is_anomaly.sum()),
        late=of.late,
        duplicates=of.duplicates,
        gaps=of.gaps,
        warm_ups=of.warm_ups,
        imputed_values=of.imputed_values,
        unknown_values=unknown,
    )


def sample(cut: Cut, observed: Observed) -> Sample:
    """What drift is measured on: of a reading that comes twice, or late, no window hears either."""
    values, seen, dropped = cut.batch.values, cut.batch.seen, cut.marks.dropped
    ends = seen[observed.rows]
    if dropped.any():
        values, seen = values[~dropped], seen[~dropped]
    return Sample(values, seen, observed.error, observed.scores > 1, observed.is_anomaly, ends)
