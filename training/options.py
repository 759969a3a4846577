"""The options of every command that reads files of readings, given to it as one `Wanted`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from training.grid import BYS, Resampling
from training.roles import Wanted

OPTIONS = (
    click.option("--time", metavar="COLUMN", help="The column of times, if it is not found by itself."),
    click.option(
        "--series", metavar="COLUMN", help="The column that tells series apart, if it is not found by itself."
    ),
    click.option("--label", metavar="COLUMN", help="The column of ground truth, 0 or 1; never a feature."),
    click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is no feature; repeatable."),
    click.option(
        "--feature", metavar="COLUMN", help="In long form, a row for each value: the column of features' names."
    ),
    click.option("--value", metavar="COLUMN", help="In long form: the column of values."),
    click.option(
        "--resample", metavar="INTERVAL", help="Put readings on a grid, a row each 1s, 5min, ... (see docs/data.md)."
    ),
    click.option(
        "--resample-by", type=click.Choice(BYS), help="What stands for the readings of an interval.  [default: last]"
    ),
    click.option(
        "--reject-rows", "reject", is_flag=True, help="Leave out rows of a CSV that can not be read, if they are few."
    ),
)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options, and call it with `wanted` in their place. Errors are TidewatchErrors."""

    @wraps(command)
    def with_wanted(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in ("time", "series", "label", "ignore", "feature", "value", "reject")}
        resample, by = kwargs.pop("resample"), kwargs.pop("resample_by")
        if by is not None and resample is None:
            raise click.UsageError("--resample-by needs --resample INTERVAL, such as --resample 5min")
        grid = None if resample is None else Resampling.parse(resample, by or "last")
        return command(*args, wanted=Wanted(**given, resample=grid), **kwargs)

    for option in reversed(OPTIONS):
        with_wanted = option(with_wanted)
    return with_wanted
