"""Panels of what is now: a number, a table, bars; and of what always is: a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from monitoring.grafana.look import PALETTE, REFERENCE, Steps, in_colour, named, thresholds
from monitoring.grafana.panel import Json, Link, Panel, Query
from monitoring.grafana.promql import Figure

NOW = {"format": "time_series", "instant": True, "range": False}
AS_TABLE = NOW | {"format": "table"}
MERGED: Json = {"id": "merge", "options": {}}  # one row for what has the same labels


@dataclass(frozen=True)
class Column:
    """A column of a table of what is now; its query has the same labels as those of its neighbours."""

    name: str
    expr: str
    unit: str = "short"
    steps: Steps = ()


def stat(title: str, description: str, expr: str, *, unit: str = "short", width: int = 4, steps: Steps = ()) -> Panel:
    """One number, now."""
    return Panel(
        "stat",
        title,
        description,
        (Query(expr),),
        width,
        4,
        NOW,
        {"unit": unit, "color": {"mode": "thresholds"}, "thresholds": thresholds(steps), "noValue": "none yet"},
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value" if steps else "none",
            "graphMode": "none",
            "textMode": "value",
        },
    )


def table(
    title: str,
    description: str,
    *columns: Column,
    first: str = "",
    width: int = 12,
    height: int = 8,
    cells: tuple[tuple[str, Link], ...] = (),
    links: tuple[Link, ...] = (),
) -> Panel:
    """A row for each set of labels, sorted by the column `first`, the largest on top; cells lead to where links say."""
    fields = [f"Value #{letter}" for letter in ascii_uppercase[: len(columns)]] if len(columns) > 1 else ["Value"]
    renamed = dict(zip(fields, (column.name for column in columns), strict=True))
    order = ("dataset", "release", "feature", *fields)
    return Panel(
        "table",
        title,
        description,
        tuple(Query(column.expr) for column in columns),
        width,
        height,
        AS_TABLE,
        {"custom": {"align": "auto", "filterable": False}},
        tuple(_shown(column) for column in columns)
        + tuple(named(label, {"links": [link.json()]}) for label, link in cells),
        {"showHeader": True, "sortBy": [{"displayName": first, "desc": True}] if first else []},
        (MERGED, _organised(("Time",), renamed, order)),
        links,
    )


def bars(title: str, description: str, figure: Figure, *, label: str, width: int = 6) -> Panel:
    """Live beside reference for each value of a label that is a number, now."""
    renamed = {"Value #A": REFERENCE, "Value #B": "live"}
    hidden = ("Time", "dataset", "release", "feature")
    return Panel(
        "barchart",
        title,
        description,
        (Query(figure.ref), Query(figure.live)),
        width,
        asks=AS_TABLE,
        defaults={"unit": "percentunit", "min": 0, "color": PALETTE, "custom": {"fillOpacity": 70, "lineWidth": 0}},
        overrides=(named(REFERENCE, in_colour("text")), named("live", in_colour("blue"))),
        options={
            "xField": label,
            "orientation": "vertical",
            "showValue": "never",
            "stacking": "none",
            "groupWidth": 0.8,
            "barWidth": 0.9,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "none"},
        },
        transformations=(
            MERGED,
            _converted(label, "number"),
            {"id": "sortBy", "options": {"sort": [{"field": label, "desc": False}]}},
            _converted(label, "string"),
            _organised(hidden, renamed),
        ),
    )


def text(title: str, content: str, *, width: int = 12, height: int = 14) -> Panel:
    """Markdown."""
    return Panel("text", title, "", width=width, height=height, options={"mode": "markdown", "content": content})


def _shown(column: Column) -> Json:
    look: Json = {"unit": column.unit}
    if column.steps:
        look |= {"thresholds": thresholds(column.steps), "custom.cellOptions": {"type": "color-text"}}
    return named(column.name, look)


def _organised(hidden: Sequence[str], renamed: Mapping[str, str], order: Sequence[str] = ()) -> Json:
    numbered = {name: number for number, name in enumerate(order)}
    options = {"excludeByName": dict.fromkeys(hidden, True), "renameByName": renamed, "indexByName": numbered}
    return {"id": "organize", "options": options}


def _converted(label: str, to: str) -> Json:
    return {"id": "convertFieldType", "options": {"conversions": [{"targetField": label, "destinationType": to}]}}
