"""What the files were taken for, as tables for a screen: as readable with a thousand series as with one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid
from rich.text import Text

from schemas.printable import printable
from training.health import PAUSE, FeatureHealth, Health
from training.roles import listed
from training.table import Table
from training.times import rfc3339, spelled

MOST_FEATURES = 10  # that get a row of their own
MOST_NAMES = 5  # in a line
WORST = 3  # features with most missing


def facts_grid(table: Table, health: Health) -> Grid:
    """A line for each thing to know of the readings as a whole."""
    grid = Grid.grid(padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in facts(table, health):
        grid.add_row(f"  {name}", _cell(text))
    return grid


def features_grid(health: Health) -> Grid:
    """A row for each feature; of many those with something to say first, the others counted."""
    grid = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    grid.add_column("  feature", overflow="fold", max_width=40)
    for column in ("missing", "lowest", "mean", "highest"):
        grid.add_column(column, justify="right", no_wrap=True)
    grid.add_column("")
    shown = _worth_showing(health.features)
    for name in shown:
        one = health.features[name]
        figures = ["" if figure is None else f"{figure:.5g}" for figure in (one.low, one.mean, one.high)]
        grid.add_row(_cell(f"  {name}"), _share(one.missing_share), *figures, "constant" if one.constant else "")
    if len(shown) < len(health.features):
        grid.add_row(f"  and {len(health.features) - len(shown):,} more", style="dim")
    return grid


def facts(table: Table, health: Health) -> Iterator[tuple[str, str]]:
    """What there is to say, in the order of what matters."""
    yield "readings", f"{table.rows:,} of {_series(table, health)}"
    yield "time", _time(table, health)
    yield "interval", _interval(health)
    if table.resampled is not None:
        yield "grid", f"resampled: a reading is {table.resampled}; send the stream so too"
    if health.longest_pause is not None:
        pause = health.longest_pause
        yield (
            "pauses",
            f"{health.pauses:,} longer than {PAUSE} intervals; the longest, {spelled(pause.end - pause.start)}, "
            f"in series '{pause.series}' from {rfc3339(pause.start)}",
        )
    yield "features", f"{len(table.features):,}" + ("" if table.feature_column is None else _long(table))
    yield "missing", _missing(health)
    constant = [name for name, one in health.features.items() if one.constant]
    if constant:
        yield "constant", listed(constant, MOST_NAMES)
    if health.labels is not None:
        yield "labels", _labels(table, health)


def _series(table: Table, health: Health) -> str:
    column = f" (column '{table.series_column}')" if table.series_column else ""
    count = len(table.series)
    least, median, most = health.rows_by_series
    if count == 1:
        return f"1 series, '{table.series[0].name}'{column}"
    spread = f"{least:,} each" if least == most else f"{least:,} to {most:,} each, {median:,} in the middle"
    return f"{count:,} series{column}: {spread}"


def _time(table: Table, health: Health) -> str:
    span = f"{rfc3339(health.start)} to {rfc3339(health.end)}"
    if table.time_column is None:
        return f"{span} (no time column: {table.time_form})"
    form = f", {table.time_form}" if table.time_form else ""
    return f"{span}, {spelled(health.end - health.start)} (column '{table.time_column}'{form})"


def _interval(health: Health) -> str:
    usual = f"one each {spelled(health.interval_us)}"
    if not health.unsteady_share:
        return f"{usual}, regular"
    steps = f"{spelled(health.shortest_us)} to {spelled(health.longest_us)}"
    return f"{usual}; {_share(health.unsteady_share)} of steps are off that by more than a tenth ({steps})"


def _long(table: Table) -> str:
    return f", a row for each value (column '{table.feature_column}' names the feature)"


def _missing(health: Health) -> str:
    if not health.missing_share:
        return "nothing"
    most = sorted(health.features, key=lambda name: -health.features[name].missing_share)
    worst = [f"{name} {_share(health.features[name].missing_share)}" for name in most[:WORST]]
    lacking = [text for name, text in zip(most, worst, strict=False) if health.features[name].missing_share]
    return f"{_share(health.missing_share)} of the values, most in {', '.join(lacking)}"


def _labels(table: Table, health: Health) -> str:
    labels = health.labels
    assert labels is not None
    share = labels.anomalous / labels.rows
    events = f"{labels.events:,} event{'s' * (labels.events != 1)}"
    return f"column '{table.label_column}': {labels.anomalous:,} of {labels.rows:,} readings ({share:.2%}), {events}"


def _worth_showing(features: dict[str, FeatureHealth]) -> list[str]:
    if len(features) <= MOST_FEATURES:
        return list(features)
    return sorted(features, key=lambda name: (not features[name].constant, -features[name].missing_share))[
        :MOST_FEATURES
    ]


def _cell(text: str) -> Text:
    """Names of others as they are: `flow [bar]` is no markup, nor is a control character one for the terminal."""
    return Text(printable(text))


def _share(share: float) -> str:
    """A share as a percentage; what is not nothing does not look like nothing."""
    return "" if not share else "<0.01%" if share < 0.0001 else f"{share:.2%}"
