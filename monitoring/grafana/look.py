"""How fields are shown: Grafana's thresholds, and overrides of what holds for all fields of a panel."""

from __future__ import annotations

from monitoring.grafana.panel import Json

REFERENCE, MARK = "reference", "alert"  # how the names of such series end
PALETTE: Json = {"mode": "palette-classic"}
Steps = tuple[tuple[float, str], ...]  # from this value on, this colour


def thresholds(steps: Steps) -> Json:
    """Green below the first step."""
    whole = [{"value": None, "color": "green"}, *({"value": value, "color": colour} for value, colour in steps)]
    return {"mode": "absolute", "steps": whole}


def named(name: str, look: Json) -> Json:
    """The field of this name, shown so."""
    return _override("byName", name, look)


def ending(end: str, look: Json) -> Json:
    """All fields whose names end so."""
    return _override("byRegexp", f"/{end}$/", look)


def in_colour(name: str) -> Json:
    """One colour, whatever the others have."""
    return {"color": {"mode": "fixed", "fixedColor": name}}


def dashed(*lengths: int) -> Json:
    """A line of dashes and gaps."""
    return {"custom.lineStyle": {"fill": "dash", "dash": list(lengths)}}


def _override(matcher: str, options: str, look: Json) -> Json:
    properties = [{"id": key, "value": value} for key, value in look.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": properties}
