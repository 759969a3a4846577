"""`metrics.json` and `events.json`: what a release candidate is worth on readings that set nothing of it."""

from __future__ import annotations

import msgspec

from schemas.flag import Attribution


class FlagRate(msgspec.Struct, frozen=True):
    """How many windows of the test part were flagged, those that hold a labelled anomaly apart."""

    promised: float  # the share of normal windows that the threshold was asked to flag
    windows: int
    flagged: int
    measured: float | None  # flagged / windows; None if there was no such window


class Labelled(msgspec.Struct, frozen=True):
    """How scores and flags agree with labels, never point-adjusted; a window is judged by the label of its last row.

    Windows are those of the test part; if their labels all say the same, also those before it that hold a labelled
    anomaly, which were left out of all fitting. Events are counted over both in any case. Ranking figures are None if
    all labels say the same even so. `training.measures` says what each figure is.
    """

    windows: int
    anomalous: int
    vus_pr: float | None
    vus_roc: float | None
    auc_pr: float | None
    auc_roc: float | None
    best_f1: float | None
    f1: float  # this and what follows: at the automatic threshold
    far: float
    mar: float
    events: int
    events_found: int
    event_recall: float | None  # None if there are no events
    median_delay_rows: float | None  # of the events found, from the first row that is judged
    auc_pr_by_network: dict[str, float | None]
    windows_before: int = 0  # of `windows`, those before the test part


class Injected(msgspec.Struct, frozen=True):
    """What became of one kind of anomaly of one size, put into copies of the test part in several places.

    Found is what is flagged on a row where the untouched copy is not, while a window holds a row that was changed.
    """

    kind: str
    size: float
    unit: str  # "sd": of the feature before the test part; "rows": how long it lasts
    tries: int
    found: int
    recall: float
    median_delay_rows: float | None  # from the first changed row to the first such flag; None if none was found
    false_alarms: int  # of the same stretches left untouched, those with a flag


class SeriesFigures(msgspec.Struct, frozen=True):
    """One series by itself; `labelled` is None if it has no labels."""

    flag_rate: FlagRate
    labelled: Labelled | None


class Evaluation(msgspec.Struct, frozen=True):
    """All that `metrics.json` holds; of very many series `by_series` has only the first."""

    flag_rate: FlagRate
    labelled: Labelled | None  # None if no series has labels
    injected: list[Injected]  # by kind, then size; empty if the test part has no room, or no feature ever varied
    by_series: dict[str, SeriesFigures]


class Event(msgspec.Struct, frozen=True):
    """A run of flagged windows, and what its features did around the highest score, in raw units.

    `expected` puts windows side by side of which one is that of the highest score; it is null where no whole window
    lies, and `actual` is null where a value is missing.
    """

    series_id: str
    start: str  # when the first flagged window ended, RFC 3339, as all times here
    end: str
    peak: str
    score: float
    threshold: float
    windows: int  # flagged
    label: bool | None  # whether one of them ends on a labelled anomaly; None if the series has no labels
    attribution: list[Attribution]  # of the window with the highest score, the feature most to blame first
    timestamps: list[str]  # (row,)
    actual: dict[str, list[float | None]]  # by feature, (row,) each
    expected: dict[str, list[float | None]]


class Events(msgspec.Struct, frozen=True):
    """All that `events.json` holds: the events with the highest scores, the worst first."""

    events: list[Event]
