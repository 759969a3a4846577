"""`tidewatch train`: from a file of readings to a detector in service."""

from __future__ import annotations

import secrets
import shlex
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from config.options import with_settings
from config.settings import FILES, Settings
from models.store import open_store
from models.store.base import check_names, release_id
from schemas.errors import TidewatchError
from training import config as configs
from training import pipeline
from training.artifacts import Artifacts
from training.candidate import Identity
from training.ingest import Wanted
from training.pipeline import Request
from training.progress import Board
from training.summary import show

RUNS = Path("var/runs")


@click.command()
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="A CSV or Parquet file, or a folder of them."
)
@click.option("--dataset", required=True, help="The name that readings will ask for this detector by.")
@click.option("--config", "named", default="default", show_default=True, help="quick, default, or a YAML file.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the config; repeatable.")
@click.option("--time", "time_column", metavar="COLUMN", help="The column of times, if it is not found by itself.")
@click.option("--series", metavar="COLUMN", help="The column that tells series apart, if it is not found by itself.")
@click.option("--label", metavar="COLUMN", help="The column of ground truth, 0 or 1; never a feature.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is no feature; repeatable.")
@click.option(
    "--run-dir", type=click.Path(path_type=Path), help="Where to leave the artifacts.  [default: var/runs/ID]"
)
@click.option("--no-promote", is_flag=True, help="Publish the release without putting it into service.")
@with_settings
def train(
    data: Path,
    dataset: str,
    named: str,
    changes: tuple[str, ...],
    time_column: str | None,
    series: str | None,
    label: str | None,
    ignore: tuple[str, ...],
    run_dir: Path | None,
    no_promote: bool,
    settings: Settings,
) -> None:
    """Train a detector from a file of readings and put it into service.

    A file is one series, or several told apart by a column; in a folder each file is a series. Columns of time, series
    and label are found by name or by what they hold. What was understood is printed before training starts.

    \b
    Examples:
      tidewatch train --data pumps.csv --dataset pumps
      tidewatch train --data machines/ --dataset machines --config quick --ignore operator
      tidewatch train --data pumps.csv --dataset pumps --set window.size=64 --set training.epochs=40
      tidewatch train --data pumps.csv --dataset pumps --setting store.url=dir:/srv/releases
    """
    began = time.monotonic()
    check_names(dataset)
    config = configs.load(named, FILES / "detectors", changes)
    store = open_store(settings.store.url)
    identity = _identity(dataset)
    root = _empty(run_dir or RUNS / identity.release)
    request = Request(data, Wanted(time_column, series, label, ignore), config, identity, not no_promote)
    console = Console(highlight=False)
    with Board(console, config) as board:
        outcome = pipeline.run(request, Artifacts(root), store, board)
    show(console, outcome, config)
    _close(console, request, root, time.monotonic() - began)


def _identity(dataset: str) -> Identity:
    now = datetime.now(UTC)
    release = release_id(now, secrets.token_bytes(8))
    return Identity(dataset, release, now.isoformat(timespec="seconds").replace("+00:00", "Z"), version("tidewatch"))


def _empty(root: Path) -> Path:
    """A run's folder holds one run."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise TidewatchError(f"--run-dir {root} is not an empty folder; name a new one")
    return root


def _close(console: Console, request: Request, root: Path, seconds: float) -> None:
    """Which release serves, where to look, and what to do next."""
    identity = request.identity
    state = "now serves" if request.promote else "is published, and does not serve yet:"
    command = f"tidewatch score --data {shlex.quote(str(request.data))} --dataset {identity.dataset}"
    if not request.promote:
        command = f"tidewatch releases promote {identity.dataset} {identity.release}"
    console.print(f"[bold]{identity.release}[/bold] {state} dataset [bold]{identity.dataset}[/bold] ({seconds:.0f} s)")
    console.print(f"artifacts: {escape(str(root / 'Artifact'))}", soft_wrap=True)
    console.print(f"next: [bold]{escape(command)}[/bold]", soft_wrap=True)
