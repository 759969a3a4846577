"""From what is known to HTML: every value is escaped, and a misspelt name is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stream_app.admin.page.assets import HERE, asset
from stream_app.admin.page.sparks import spark
from training.report import words
from training.report.page import FOLDER as REPORT


def render(template: str, **content: Any) -> str:
    """A template filled in."""
    return environment().get_template(template).render(content)


@cache
def environment() -> Environment:
    """The page's templates, and the report's where they show the same."""
    templates = Environment(
        loader=FileSystemLoader([HERE / "templates", REPORT / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (words.number, words.percent, words.count, words.listed, clock, ago, seconds, spark)
    templates.filters |= {each.__name__: each for each in filters}
    templates.globals |= {"asset": lambda name: asset(name).address}
    return templates


def clock(moment: str) -> str:
    """A time as people read it, UTC, to the second."""
    return moment[:19].replace("T", " ")


def ago(moment: str, now: datetime | None = None) -> str:
    """How long ago that was."""
    passed = (now or datetime.now(UTC)) - datetime.fromisoformat(moment)
    return "just now" if passed.total_seconds() < 1 else f"{seconds(passed.total_seconds())} ago"


def seconds(amount: float) -> str:
    """A stretch of time in the largest unit of which there are two."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if amount >= 2 * size:
            return f"{amount / size:.0f} {unit}"
    return f"{amount:.0f} s"
