"""What a prediction is asked of the admin, and what it answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import FailFast, Field, StrictInt

from schemas.admin import Columns, RejectedRow, Words, example
from schemas.admin_examples import PREDICT, PREDICTION
from schemas.reading import FLOAT32_MAX

Measured = Annotated[float, Field(strict=True, ge=-FLOAT32_MAX, le=FLOAT32_MAX, allow_inf_nan=False)]


class Ask(Words):
    """What a prediction is asked of, and how it is judged."""

    dataset: str = "default"
    """The name of the detector."""
    release: str | None = None
    """A release by its name, instead of the one in service."""
    threshold: float | None = Field(None, allow_inf_nan=False)
    """A window is an anomaly if its score is above this; by default above what the release decides, 1 at first."""
    attribution: bool = False
    """Whether anomalies come as flags too, with the features to blame; at most the first thousand."""
    series_id: str | None = Field(None, min_length=1, max_length=256)
    """The series that the rows are of; by default it is called as the dataset."""


class Predict(Ask):
    """Rows of one series, in order of time."""

    model_config = example(PREDICT)

    data: Annotated[list[Annotated[list[Measured | None], FailFast()]], FailFast()]
    """Rows, each with a value for each feature in the order of the release; null is missing."""
    timestamps: list[str | StrictInt] | None = Field(None, fail_fast=True)
    """When each row was: RFC 3339, or integers of milliseconds since 1970; without them, rows at the usual pace."""


class FileAsk(Ask, Columns):
    """What is asked of a file's rows, and how the file is understood."""


class Prediction(Words):
    """Scores of windows, in order of time: an entry for each window, that is rows - window + 1 for one series.

    Rows that were rejected are as if they had not been sent.
    """

    model_config = example(PREDICTION)

    anomalies: list[Literal[0, 1]]
    scores: list[float]
    """0 for a usual window, 1 at the release's threshold."""
    thresholds: list[float]
    """What each score was held against: what was asked for, or 1 at first, and then as it adapts to the series."""
    timestamps: list[str] | None
    """When each window's last row was; null if the request had no times."""
    rows: list[int]
    """Each window's last row, from 0, among its series' rows in order of time; rejected ones are not counted."""
    dataset: str
    release: str
    """The release that scored."""
    threshold: float
    """The one that was asked for, or 1: where the release's begins."""
    series: list[str] | None
    """Each window's series, if there are several."""
    flags: list[dict[str, Any]] | None
    """The anomalies as a worker would publish them, if attribution was asked for."""
    rejected: list[RejectedRow]
    """Rows of a file that can not be read, and were left out; at most the first thousand."""
    rejected_count: int
