"""The options by which every command is told how to read files."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from schemas.errors import TidewatchError
from schemas.manifest import Identity
from schemas.training import TrainingConfig
from stream_app.cli import tidewatch
from training import runs
from training.grid import Resampling
from training.options import reading_options
from training.roles import Wanted
from training.runs import Request


def told(*arguments: str) -> Wanted:
    """What a command is told by these arguments."""
    heard: list[Wanted] = []

    @click.command()
    @reading_options
    def command(wanted: Wanted) -> None:
        heard.append(wanted)

    command.main([*arguments], standalone_mode=False)
    return heard[0]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("", Wanted()),
        ("--time t --series s --label y --ignore a --ignore b", Wanted("t", "s", "y", ("a", "b"))),
        ("--feature tag --value x", Wanted(feature="tag", value="x")),
        ("--resample 5min", Wanted(resample=Resampling(300_000_000, "last"))),
        ("--resample 5min --resample-by mean", Wanted(resample=Resampling(300_000_000, "mean"))),
    ],
)
def test_what_is_said_is_wanted(arguments, wanted):
    """All of it, and nothing else."""
    assert told(*arguments.split()) == wanted


def test_half_of_a_grid_is_refused():
    """How to sum up needs what to sum up over."""
    with pytest.raises(click.UsageError, match="--resample-by needs --resample INTERVAL"):
        told("--resample-by", "mean")
    with pytest.raises(TidewatchError, match="'5' is no interval"):
        told("--resample", "5")


def test_every_reading_command_has_them():
    """The same words everywhere."""
    for command in ("train", "score", "produce"):
        page = CliRunner().invoke(tidewatch, [command, "--help"]).output
        assert all(f"--{option} " in page for option in ("time", "series", "label", "ignore", "feature", "resample"))


def test_a_run_remembers_them(tmp_path):
    """The record of a run gives back what was wanted, and what is said later goes before it."""
    wanted = Wanted(time="t", ignore=("a",), feature="tag", resample=Resampling(5))
    request = Request(Path("data.csv"), wanted, TrainingConfig(), "dir:store", promote=True)
    runs.create(tmp_path / "run", request, Identity("plant", "r", "2026-08-29T10:15:00Z", "test"))
    remembered = runs.find(str(tmp_path / "run")).request.wanted
    assert remembered == wanted
    later = Wanted(time="u", resample=Resampling(7, "mean")).over(remembered)
    assert later == Wanted("u", ignore=("a",), feature="tag", resample=Resampling(7, "mean"))
