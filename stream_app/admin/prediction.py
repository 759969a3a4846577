"""A prediction that is worked on: the rows that wait for a turn, and the answer as far as it is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec
import numpy as np

from models import flags
from models.batch import Batch, Index, Observed
from models.detector import Detector
from models.stream import StreamDetector
from schemas.admin_predict import Ask
from stream_app.admin import rows
from stream_app.admin.failures import Unusable
from stream_app.admin.preview import MOST_REJECTED
from training.scan import CHUNK, batches
from training.table import Table

MOST_FLAGS = 1000  # that are attributed in one answer
COLUMNS = ("anomalies", "scores", "thresholds", "timestamps", "rows", "series", "flags")


class Column:
    """A list in the answer. It is kept as the text that it will be, which takes a tenth of the memory."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def add(self, values: Iterable[object]) -> None:
        """Put some more at its end."""
        if text := msgspec.json.encode(list(values))[1:-1]:
            self._pieces.append(text)

    def whole(self) -> msgspec.Raw:
        """All of it, as JSON."""
        return msgspec.Raw(b"[" + b",".join(self._pieces) + b"]")


class Prediction:
    """What is asked of which rows; `timed` if the rows' times are the caller's own."""

    def __init__(self, asked: Ask, detector: Detector, table: Table, timed: bool) -> None:
        """Raises Unusable if there are too few rows."""
        rows.check_length(table, detector)
        self.detector, self.stream = detector, StreamDetector(detector)
        self.rows = table.rows
        self._asked, self._timed = asked, timed
        self._begins = np.cumsum([0, *(len(one.times) for one in table.series[:-1])])  # of series, among all rows
        self._names = [one.name for one in table.series]
        self._unread = batches(table, detector.features)
        self._left, self._windows, self._flags = table.rows, 0, 0
        self._rejected = table.rejected
        self._columns = {name: Column() for name in COLUMNS}

    @property
    def is_short(self) -> bool:
        """Whether all of it is scored in one turn."""
        return self.rows <= CHUNK

    @property
    def is_done(self) -> bool:
        """Whether no rows are left."""
        return self._left == 0

    def next(self) -> tuple[Index, Batch]:
        """The next rows, at most CHUNK, and the number (n,) of each among all."""
        numbers, batch = next(self._unread)
        self._left -= len(numbers)
        return numbers, batch

    def take(self, observed: Observed, windows: Index, ends: Index) -> None:
        """Put these `windows` (m,) of a turn into the answer; `ends` (m,) are the numbers of the rows they end at."""
        if self._asked.threshold is not None:
            limits = np.full(len(observed.scores), self._asked.threshold)
            observed = replace(observed, thresholds=limits, is_anomaly=observed.scores > limits)
        columns, anomalies = self._columns, observed.is_anomaly[windows]
        series = np.searchsorted(self._begins, ends, side="right") - 1
        columns["anomalies"].add(anomalies.astype(int).tolist())
        columns["scores"].add(observed.scores[windows].tolist())
        columns["thresholds"].add(observed.thresholds[windows].tolist())
        columns["rows"].add((ends - self._begins[series]).tolist())
        if self._timed:
            columns["timestamps"].add(flags.timestamps(observed.ends[windows]))
        if len(self._names) > 1:
            columns["series"].add(self._names[one] for one in series.tolist())
        if self._asked.attribution:
            self._blame(observed, windows[anomalies][: MOST_FLAGS - self._flags])
        self._windows += len(windows)

    def answer(self) -> bytes:
        """The whole answer, as JSON. Raises Unusable if there is no window."""
        if not self._windows:
            window, gap = self.detector.window, self.detector.gap_us / 1e6
            raise Unusable(
                f"no window of {window} rows is without a pause of more than {gap:g} s; "
                f"send {window} rows that follow each other"
            )
        whole = {name: column.whole() for name, column in self._columns.items()}
        shown = {"timestamps": self._timed, "series": len(self._names) > 1, "flags": self._asked.attribution}
        return msgspec.json.encode(
            {
                **{name: column if shown.get(name, True) else None for name, column in whole.items()},
                "dataset": self.detector.dataset,
                "release": self.detector.release,
                "threshold": 1.0 if self._asked.threshold is None else self._asked.threshold,
                "rejected": [one._asdict() for one in self._rejected[:MOST_REJECTED]],
                "rejected_count": len(self._rejected),
            }
        )

    def _blame(self, observed: Observed, windows: Index) -> None:
        """Attribute these anomalies, as a worker would publish them."""
        self._columns["flags"].add(msgspec.Raw(one) for one in flags.write(self.detector, observed, windows).values)
        self._flags += len(windows)
