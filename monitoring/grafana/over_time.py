"""Panels of what was: lines over time, and a histogram over time."""

from __future__ import annotations

from monitoring.grafana.look import MARK, PALETTE, REFERENCE, dashed, ending, in_colour, thresholds
from monitoring.grafana.panel import Json, Link, Panel, Query
from monitoring.grafana.promql import Figure

OVER_TIME = {"format": "time_series", "instant": False, "range": True}


def graph(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    width: int = 12,
    mark: float | None = None,
    zero: bool = True,
    links: tuple[Link, ...] = (),
) -> Panel:
    """Lines over time. `mark` is the value over which an alert follows; `zero` has the axis begin there."""
    lines: Json = {"lineWidth": 1, "fillOpacity": 0, "showPoints": "never", "spanNulls": False}
    lines["thresholdsStyle"] = {"mode": "off" if mark is None else "dashed"}
    defaults = {
        "unit": unit,
        "color": PALETTE,
        "custom": lines,
        "thresholds": thresholds(() if mark is None else ((mark, "red"),)),
    }
    return Panel(
        "timeseries",
        title,
        description,
        queries,
        width,
        asks=OVER_TIME,
        defaults=defaults,
        overrides=(
            ending(REFERENCE, in_colour("text") | dashed(10, 5)),
            ending(MARK, in_colour("red") | dashed(2, 4)),
        ),
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        links=links,
    )


def against(
    title: str,
    description: str,
    figure: Figure,
    *marks: str,
    of: str = "{{dataset}} {{release}}",
    unit: str = "short",
    width: int = 12,
    zero: bool = True,
    links: tuple[Link, ...] = (),
) -> Panel:
    """The live figure over time beside its reference, and the marks at which an alert follows."""
    queries = (
        Query(figure.live, f"{of} live"),
        Query(figure.ref, f"{of} {REFERENCE}"),
        *(Query(mark, f"{of} {MARK}") for mark in marks),
    )
    return graph(title, description, *queries, unit=unit, width=width, zero=zero, links=links)


def bands(title: str, description: str, query: Query, *, links: tuple[Link, ...] = ()) -> Panel:
    """A red band for as long as a series is there."""
    return Panel(
        "state-timeline",
        title,
        description,
        (query,),
        asks=OVER_TIME,
        defaults=in_colour("red") | {"custom": {"fillOpacity": 70, "lineWidth": 0}, "noValue": "none"},
        options={
            "showValue": "never",
            "mergeValues": True,
            "rowHeight": 0.8,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
        links=links,
    )


def heatmap(title: str, description: str, expr: str, *, unit: str, width: int = 24) -> Panel:
    """How many there are in each bucket of a histogram that holds what is now: it falls too."""
    return Panel(
        "heatmap",
        title,
        description,
        (Query(expr, "{{le}}"),),
        width,
        10,
        OVER_TIME | {"format": "heatmap"},
        {"custom": {"scaleDistribution": {"type": "linear"}}},
        options={
            "calculate": False,
            "cellGap": 0,
            "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "exponent": 0.5, "scale": "exponential"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "le"},
            "showValue": "never",
            "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": False},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
        },
    )
