"""What an upload is understood as, by the code that trains on it: its beginning, read as `tidewatch train` would."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.admin import Columns, FeatureSeen, Options, Preview, RejectedRow
from schemas.errors import TidewatchError
from stream_app.admin import sample
from stream_app.admin.failures import Refused, TooMuch, Unusable
from stream_app.admin.kinds import Kind
from training import ingest
from training.grid import Resampling
from training.health import Health, examine
from training.roles import Wanted
from training.table import Table
from training.times import SECOND, rfc3339
from training.wording import over_http

MOST_SERIES = 50
MOST_REJECTED = 1000


@over_http()
def preview(path: Path, kind: Kind, name: str, shown: str, options: Options) -> Preview:
    """Look at a file that is `shown` to people under its own name; a single series is called `name`.

    Raises Unusable with a sentence about the file that was sent, not about where it lies.
    """
    with TemporaryDirectory() as folder:
        begun = Path(folder) / f"{name}.{'parquet' if kind == 'parquet' else 'csv'}"
        try:
            complete = sample.take(path, kind, begun)
            table = ingest.read(begun, wanted(options))
        except Refused:
            raise
        except TidewatchError as error:
            raise Unusable(str(error).replace(str(begun), shown)) from None
        except MemoryError:
            raise TooMuch(f"{shown} takes more memory than there is to be understood; leave columns out") from None
    return _preview(table, examine(table.series, table.features, table.interval_us), kind, complete)


def wanted(options: Columns) -> Wanted:
    """The options as reading a file takes them."""
    if options.resample_by and not options.resample:
        raise Unusable("resample_by needs resample, such as 5min")
    grid = Resampling.parse(options.resample, options.resample_by or "last") if options.resample else None
    columns = (options.time, options.series, options.label, tuple(options.ignore), options.feature, options.value)
    return Wanted(*columns, resample=grid, reject=True)


def _preview(table: Table, health: Health, kind: Kind, complete: bool) -> Preview:
    labels = health.labels
    return Preview(
        format=kind,
        complete=complete,
        rows=table.rows,
        time_column=table.time_column,
        time_form=table.time_form,
        first=rfc3339(health.start),
        last=rfc3339(health.end),
        interval_seconds=health.interval_us / SECOND,
        unsteady_share=health.unsteady_share,
        series_column=table.series_column,
        series_count=len(table.series),
        series=[one.name for one in table.series[:MOST_SERIES]],
        label_column=table.label_column,
        anomalous_share=labels.anomalous / labels.rows if labels else None,
        missing_share=health.missing_share,
        features=[
            FeatureSeen(
                name=name,
                missing_share=one.missing_share,
                low=one.low,
                mean=one.mean,
                high=one.high,
                constant=one.constant,
            )
            for name, one in health.features.items()
        ],
        notes=list(table.notes),
        rejected=[RejectedRow(line=one.line, reason=one.reason) for one in table.rejected[:MOST_REJECTED]],
        rejected_count=len(table.rejected),
    )
