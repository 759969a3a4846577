"""The detector on a stream: what is kept per series of one dataset, readings in, judged windows and flags out.

Three verbs change or copy the state: observe, snapshot, restore. What comes out does not depend on how the stream is
cut into batches, nor on which other series are in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

import numpy as np

from models import flags, intake, packing
from models.batch import Batch, Counts, Float64, Mask, Observed, to_batch
from models.detector import Detector, Scored
from models.flags import Flags
from models.intake import Ended, Marks, Rules
from models.series import SeriesTable
from models.windows import Float32, Index, rounds

__all__ = ["Batch", "Counts", "Cut", "Observed", "StreamDetector", "to_batch"]

ADOPTED_AT_ONCE = 1024  # series; keeps the copies small


@dataclass(frozen=True, eq=False)
class Cut:
    """A batch whose readings are in the series' windows, and the windows that ended."""

    batch: Batch
    marks: Marks
    ended: Ended

    @property
    def windows(self) -> Float32:
        """To be scored, (m, time, feature) in scaled units."""
        return self.ended.windows


class StreamDetector:
    """A detector and the state of every series it watches; bounded by whoever calls `evict`."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._table = _table(detector)

    @property
    def series_count(self) -> int:
        """How many series have state."""
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Memory of that state in bytes."""
        return self._table.nbytes

    def series(self) -> Set[str]:
        """The series that have state; a live view."""
        return self._table.names

    def observe(self, batch: Batch) -> Observed:
        """Take readings in, score the windows that end with them all at once, and decide."""
        cut = self.cut(batch)
        return self.judge(cut, self.detector.score(cut.windows))

    def replay(self, batch: Batch) -> None:
        """Change the state as `observe` does, for readings whose flags are out already; scores only if it must."""
        cut = self.cut(batch, again=True)
        self.judge(cut, self.detector.score(cut.windows))

    def cut(self, batch: Batch, again: bool = False) -> Cut:
        """The first half of `observe`: readings in, windows out, to be scored with those of other streams.

        Each `cut` must be followed by its `judge` before the next. Readings that are read again give no windows, unless
        a score changes how the next window is judged.
        """
        marks, ended = self._take(batch, gather=not again or self._remembers)
        return Cut(batch, marks, ended)

    def judge(self, cut: Cut, scored: Scored) -> Observed:
        """The second half: what the detector made of `cut.windows` is held against thresholds."""
        marks, ended = cut.marks, cut.ended
        scores, thresholds, is_anomaly = self._judge(ended, scored.combined)
        return Observed(
            cut.batch,
            ended.rows,
            ended.moments,
            scored,
            scores,
            thresholds,
            is_anomaly,
            ended.imputed,
            counts=_counts(cut.batch, marks, ended),
            stale=[cut.batch.series[row] for row in np.flatnonzero(marks.stale).tolist()],
        )

    def flags(self, observed: Observed, everything: bool) -> Flags:
        """Flags of the anomalous windows, or of all."""
        chosen = np.arange(len(observed.rows)) if everything else np.flatnonzero(observed.is_anomaly)
        return flags.write(self.detector, observed, chosen)

    def evict(self, n: int) -> list[str]:
        """Drop the `n` series that have been silent longest, and name them."""
        names = [name for _, name in self._table.longest_silent(n)]
        self._table.drop(names)
        return names

    def oldest_seen(self, n: int) -> Index:
        """When the `n` longest silent series were last seen, (at most n,) microseconds UTC, ascending."""
        return np.array([seen for seen, _ in self._table.longest_silent(n)], np.int64)

    def snapshot(self, series: Iterable[str]) -> bytes:
        """A copy of these series' state as bytes; a series without state is left out."""
        known = [name for name in series if name in self._table.names]
        return packing.pack(packing.take(self._table, known, self.detector))

    def restore(self, data: bytes) -> None:
        """Put series back as `snapshot` copied them, in place of what is known of them; SnapshotError if unreadable.

        Of another release's snapshot the windows are used if features and window are the same, threshold and hold
        never.
        """
        packing.put(self._table, packing.unpack(data), self.detector)

    def adopt(self, detector: Detector) -> bool:
        """Go over to another release, as if restored under it; True if the windows survive, else all warm up."""
        old, before = self._table, self.detector
        self._table, self.detector = _table(detector), detector
        names = list(old.names)
        for start in range(0, len(names), ADOPTED_AT_ONCE):
            packing.put(self._table, packing.take(old, names[start : start + ADOPTED_AT_ONCE], before), detector)
        return (before.features, before.window) == (detector.features, detector.window)

    @property
    def _remembers(self) -> bool:
        """Whether a window's score changes how the next of its series is judged."""
        return self.detector.threshold.adapts or self.detector.hold > 0

    def _take(self, batch: Batch, gather: bool) -> tuple[Marks, Ended]:
        """Put a batch into its series' windows."""
        detector = self.detector
        slots = self._table.find(batch.series)
        self._table.records["seen"][slots] = batch.seen
        rules = Rules(detector.window, detector.stride, detector.hold_limit, detector.gap_us)
        return intake.take(self._table, rules, slots, batch.times, detector.scaler.transform(batch.values), gather)

    def _judge(self, ended: Ended, combined: Float64) -> tuple[Float64, Float64, Mask]:
        """Scores, thresholds and is_anomaly of windows with these combined errors, (m,) each; of one series in turn."""
        states, threshold = self._table.records["threshold"], self.detector.threshold
        scores, thresholds, is_anomaly = np.empty_like(combined), np.empty_like(combined), np.empty(len(combined), bool)
        for turn in rounds(ended.slots) if self._remembers else [np.arange(len(combined))]:
            slots = ended.slots[turn]
            state = states[slots]
            scores[turn] = own = self.detector.scale(self._hold(combined[turn], slots, ended.first[turn]))
            thresholds[turn], is_anomaly[turn] = threshold.decide(own, state)
            states[slots] = state
        return scores, thresholds, is_anomaly

    def _hold(self, combined: Float64, slots: Index, first: Mask) -> Float64:
        """No less than a share of the window before, unless a restart lies between."""
        if self.detector.hold == 0:
            return combined
        before = np.where(first, np.nan, self._table.records["held"][slots])
        held: Float64 = np.fmax(combined, self.detector.hold * before)
        self._table.records["held"][slots] = held
        return held


def _table(detector: Detector) -> SeriesTable:
    return SeriesTable(detector.window, len(detector.features), detector.threshold.start)


def _counts(batch: Batch, marks: Marks, ended: Ended) -> Counts:
    return Counts(
        readings=len(batch.times),
        windows=len(ended.rows),
        late=int(marks.late.sum()),
        duplicates=int(marks.duplicate.sum()),
        gaps=int(marks.gap.sum()),
        warm_ups=int(marks.warm_up.sum()),
        imputed_values=int(np.isnan(batch.values[~marks.dropped]).sum()),
    )
