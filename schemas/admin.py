"""What the admin is asked, and what it answers: JSON over HTTP. Of predictions: `admin_predict.py`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from schemas.admin_examples import (
    DATASET,
    IN_SERVICE,
    JOB,
    OPTIONS,
    PREVIEW,
    PROBLEM,
    RELEASE,
    RELEASE_ROW,
    Json,
)


def example(given: Json) -> ConfigDict:
    """A model's config with an example of it."""
    return ConfigDict(json_schema_extra={"examples": [given]})


class Words(BaseModel):
    """A part of a request or an answer; an unknown key in a request is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Complaint(Words):
    """One thing that is wrong with a request."""

    where: str
    """The place in the request, such as `body.data.3`."""
    rule: str
    """What it breaks."""


class Problem(Words):
    """An error (RFC 9457)."""

    model_config = example(PROBLEM)

    type: str
    """A URN that programs can go by."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """The thing, the value, the rule, and the way out."""
    instance: str
    """The path that was asked for."""
    errors: list[Complaint] | None = None
    """Each place in the request that is wrong, where there is more to say than one sentence."""


class Healthy(Words):
    """The service answers."""

    status: str = "ok"


class Columns(Words):
    """How a file is understood: what is left out is found by itself."""

    time: str | None = None
    """The column of times."""
    series: str | None = None
    """The column that tells series apart."""
    label: str | None = None
    """The column of ground truth, 0 or 1; never a feature."""
    ignore: list[str] = []
    """Columns that are no features."""
    feature: str | None = None
    """In long form, a row for each value: the column of features' names."""
    value: str | None = None
    """In long form: the column of values."""
    resample: str | None = None
    """Put readings on a grid: `1s`, `5min`, ..."""
    resample_by: Literal["last", "mean"] | None = None
    """What stands for the readings of an interval; by default the last."""


class Options(Columns):
    """How an upload is understood and trained: what is left out is found by itself, or is the service's default."""

    model_config = example(OPTIONS)

    config: str | None = None
    """The detector config: `quick`, `default`, `plain`."""
    set: list[str] = []
    """Keys of the config that are changed, such as `window.size=32`."""
    promote: bool = True
    """Whether the release is put into service at once."""


class JsonOptions(Options):
    """Options as JSON, where no number stands for true or false."""

    model_config = ConfigDict(strict=True)


class FeatureSeen(Words):
    """A feature, as far as it was looked at; figures are null if it has no value."""

    name: str
    missing_share: float
    low: float | None
    mean: float | None
    high: float | None
    constant: bool
    """Whether it never changes."""


class RejectedRow(Words):
    """A row that can not be read, and is left out."""

    line: int
    """Its line in the file, from 1."""
    reason: str


class Preview(Words):
    """What an upload was understood as; the options of the request overrule it."""

    model_config = example(PREVIEW)

    format: Literal["csv", "csv.gz", "parquet"]
    complete: bool
    """Whether all of the file was looked at; else its beginning, and the rest is read by the job."""
    rows: int
    """How many rows were looked at."""
    time_column: str | None
    """Null if there is none: then rows are a second apart."""
    time_form: str
    """How times are written, if that is not plain."""
    first: str
    last: str
    interval_seconds: float
    """The median time between readings."""
    unsteady_share: float
    """The share of steps that are off the interval by more than a tenth."""
    series_column: str | None
    series_count: int
    series: list[str]
    """Their names, or the first of very many."""
    label_column: str | None
    anomalous_share: float | None
    """The share of labelled rows that are anomalies; null without labels."""
    missing_share: float
    features: list[FeatureSeen]
    notes: list[str]
    """What was left out, and why."""
    rejected: list[RejectedRow]
    """Rows that can not be read, at most the first thousand."""
    rejected_count: int


class NetworkProgress(Words):
    """How far the training of a network is; losses are mean squared errors in scaled units."""

    network: str
    epoch: int
    """The newest that is done; 0 is before any."""
    epochs: int
    """At most so many; 0 for what is found in closed form."""
    loss: float | None
    validation_loss: float | None
    validation_losses: list[float] = []
    """Of all epochs so far."""


JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Job(Words):
    """A training: from an upload to a release."""

    model_config = example(JOB)

    id: str
    dataset: str
    owner: str
    upload: str
    """The id of the upload that it trains on."""
    file: str
    """What the upload's file was called."""
    options: Options
    state: JobState
    created: str
    started: str | None
    ended: str | None
    waiting: int | None
    """While queued: how many are before it."""
    stage: str | None
    """ingest, preprocess, speed, train, calibrate, evaluate, package or report: the newest that began."""
    networks: list[NetworkProgress]
    """In the order in which they are trained; those that have begun."""
    progress: float
    """The share of the whole that is done, roughly; 1 at the end."""
    seconds_left: float | None
    """Of the training of the networks; null before and after it."""
    rejected: list[RejectedRow]
    """Rows of the whole file that were left out."""
    notes: list[str]
    """What the reading of the whole file had to say."""
    release: str | None
    """What it has published, if it has."""
    promoted: bool
    """Whether that was put into service."""
    flag_rate: float | None
    """The share of windows of the test part that were flagged."""
    error: str | None
    """Why it failed, and the way out."""
    has_report: bool
    """Whether GET /jobs/{id}/report has a page; files of old jobs are cleaned away."""


class JobDetail(Job):
    """A job with the end of its log."""

    model_config = example(JOB | {"log": ["Train 3 networks"]})

    log: list[str]
    """The newest lines."""


class Jobs(Words):
    """Jobs, the newest first."""

    jobs: list[Job]


class Accepted(Words):
    """An upload is on the disk, and its training waits or runs."""

    job: Job
    preview: Preview


class Dataset(Words):
    """A dataset: a name that belongs to its first owner, and what came of the uploads to it."""

    model_config = example(DATASET)

    name: str
    owner: str | None
    """Null if it was trained by the command line."""
    created: str | None
    champion: str | None
    """The release that serves."""
    problem: str | None
    """Why none can: it is gone, or which it is can not be read."""
    releases: int
    jobs: int
    newest_job: Job | None


class Datasets(Words):
    """Datasets by name."""

    datasets: list[Dataset]


class DatasetDetail(Dataset):
    """A dataset with its newest upload."""

    model_config = example(DATASET | {"preview": PREVIEW, "file": "readings.csv", "bytes": 152_004})

    preview: Preview | None
    file: str | None
    bytes: int | None


class SignIn(Words):
    """What the page signs in with."""

    token: str
    """What `tidewatch token create` printed."""


class Session(Words):
    """Who asks."""

    owner: str
    scopes: list[str]
    csrf: str | None
    """What the page sends in the header X-CSRF-Token with whatever changes something; null without a session."""


class ReleaseRow(Words):
    """A release; `problem` says why it can not serve, or why that is not known, and then the rest is null."""

    model_config = example(RELEASE_ROW)

    dataset: str
    release: str
    serves: bool
    created: str | None = None
    features: int | None = None
    window: int | None = None
    problem: str | None = None


class Releases(Words):
    """Releases by dataset, the oldest first."""

    releases: list[ReleaseRow]


class ReleaseDetail(BaseModel):
    """All that a release says of itself, as `tidewatch releases show --json`."""

    model_config = example(RELEASE)

    dataset: str
    release: str
    serves: bool
    created: str
    code_version: str
    features: list[str]
    window: dict[str, int]
    networks: list[str]
    combine: str
    threshold: dict[str, Any]
    calibration: dict[str, float]
    config_digest: str
    files: dict[str, int]
    """Bytes by name."""


class InService(Words):
    """Which release serves a dataset; workers go over to it within seconds."""

    model_config = example(IN_SERVICE)

    dataset: str
    release: str
    version: int
    """How often the dataset's pointer has been moved."""
    previous: list[str]
    """What served before it, each once, by when it served last: a roll back goes to the last of them."""
