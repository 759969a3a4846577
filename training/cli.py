"""`tidewatch train`: from a file of readings to a detector in service, or any part of that way."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from config.options import with_settings
from config.settings import FILES, Settings
from models.store import open_store
from models.store.base import check_names, release_id
from schemas.errors import TidewatchError
from schemas.manifest import Identity
from training import config as configs
from training import ingest, outcome, runs, tracking_uri
from training.events import all_of, silent
from training.learner import Diverged
from training.options import reading_options
from training.pipeline import Pipeline
from training.preprocess import TooLittleData
from training.progress import Board
from training.roles import Wanted
from training.runs import Request, Run, RunError
from training.stages import NAMES
from training.summary import show
from training.told import Told
from training.tracker import Tracker
from training.wording import option, way


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="A CSV or Parquet file, or a folder of them.")
@click.option("--dataset", help="The name that readings will ask for this detector by.")
@click.option("--config", "named", help="quick, default, or a YAML file.  [default: default]")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the config; repeatable.")
@reading_options
@click.option(
    "--run-dir", type=click.Path(path_type=Path), help="Where to leave the artifacts.  [default: var/runs/ID]"
)
@click.option("--promote/--no-promote", default=None, help="Whether to put the release into service.  [default: yes]")
@click.option("--run", "--resume", "earlier", metavar="RUN", help="Go on with an earlier run: its id, or its folder.")
@click.option("--only", type=click.Choice(NAMES), multiple=True, help="Run this stage alone; repeatable.")
@click.option("--again", is_flag=True, help="Run stages although nothing has changed since.")
@click.option("--events", type=click.Path(path_type=Path), help="Tell what happens in this file too, as JSON lines.")
@click.option("--no-tracking", is_flag=True, help="Tell MLflow nothing of the run.")
@with_settings
def train(
    data: Path | None,
    dataset: str | None,
    run_dir: Path | None,
    earlier: str | None,
    only: tuple[str, ...],
    again: bool,
    events: Path | None,
    no_tracking: bool,
    settings: Settings,
    **wishes: Any,
) -> None:
    """Train a detector from a file of readings and put it into service.

    A file is one series, or several told apart by a column; in a folder each file is a series. Columns of time, series
    and label are found by name or by what they hold. What was understood is printed before training starts;
    docs/data.md tells which files are read, and how.

    Each stage leaves its files in the run's folder: ingest, preprocess, train, calibrate, evaluate, package, report. A
    run that was stopped or killed goes on by --resume, at the epoch it was in, and ends with the same weights. Options
    given with --resume (or --run, which is the same) change what was asked for; a stage that it does not concern is not
    run again.

    MLflow keeps parameters, losses, figures and files of the run: in var/mlflow.db, which `tidewatch runs ui` shows, or
    with the server that MLFLOW_TRACKING_URI names. Training goes on without it if it can not be reached.

    \b
    Examples:
      tidewatch train --data pumps.csv --dataset pumps
      tidewatch train --data machines/ --dataset machines --config quick --ignore operator
      tidewatch train --data pumps.csv --dataset pumps --set window.size=64 --set training.epochs=40
      tidewatch train --data tags.csv --dataset pumps --feature tag --value reading --resample 5min
      tidewatch train --data pumps.csv --dataset pumps --setting store.url=dir:/srv/releases
      tidewatch train --resume 20260829T101500Z-3f2a91
      tidewatch train --run 20260829T101500Z-3f2a91 --only evaluate --only report
      tidewatch train --run 20260829T101500Z-3f2a91 --set threshold.rate=0.001
    """
    began, store = time.monotonic(), settings.store.url
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being told to end is the same as Ctrl-C
    run = _begin(data, dataset, run_dir, only, store, wishes) if earlier is None else _find(earlier, dataset, run_dir)
    with run.locked(), _told_how_to_go_on(run):
        request = wished(run.request if data is None else replace(run.request, data=data), store, **wishes)
        console = Console(highlight=False)
        board = Board(console, request.config)
        tracker = None if no_tracking else Tracker(tracking_uri.named(os.environ), board.warn)
        told = None if events is None else Told(events)
        with board, tracker or nullcontext(), told or nullcontext():
            observer = all_of(board, tracker or silent, told or silent)
            rename = partial(new_identity, run.record.identity.dataset)
            Pipeline(run, request, open_store(store), observer, rename).play(only, again=again)
        _close(console, run, tracker.where if tracker else "", time.monotonic() - began)


def wished(
    request: Request,
    store: str,
    named: str | None,
    changes: tuple[str, ...],
    promote: bool | None,
    wanted: Wanted,
) -> Request:
    """A request with what the options say; what they leave open stays."""
    config = request.config
    if named is not None:
        config = configs.load(named, FILES / "detectors", changes)
    elif changes:
        config = configs.change(config, changes)
    return Request(
        request.data, wanted.over(request.wanted), config, store, request.promote if promote is None else promote
    )


def new_identity(dataset: str) -> Identity:
    """A name for a release that is made now."""
    now = datetime.now(UTC)
    release = release_id(now, secrets.token_bytes(8))
    return Identity(dataset, release, now.isoformat(timespec="seconds").replace("+00:00", "Z"), version("tidewatch"))


def _begin(
    data: Path | None,
    dataset: str | None,
    run_dir: Path | None,
    only: tuple[str, ...],
    store: str,
    wishes: Mapping[str, Any],
) -> Run:
    """A new run, after all that can be refused without one."""
    if data is None or dataset is None:
        raise click.UsageError(f"Missing option '--{'data' if data is None else 'dataset'}': a new run needs it.")
    if only and "ingest" not in only:
        raise click.UsageError(f"--only {only[0]} needs what earlier stages left; name their run by --run.")
    check_names(dataset)
    default = configs.load("default", FILES / "detectors")
    request = wished(Request(data, Wanted(), default, store, promote=True), store, **wishes)
    open_store(store)
    ingest.find_files(data)
    identity = new_identity(dataset)
    return runs.create(run_dir or runs.RUNS / identity.release, request, identity)


def _find(earlier: str, dataset: str | None, run_dir: Path | None) -> Run:
    """An earlier run, which stays where it is, and what it is."""
    run = runs.find(earlier)
    if run_dir is not None:
        raise click.UsageError("--run-dir is for a new run; leave it out, or leave out --run.")
    if dataset not in {None, run.record.identity.dataset}:
        raise TidewatchError(
            f"run {run.spelled} is of dataset '{run.record.identity.dataset}', not '{dataset}'; begin a new run"
        )
    return run


@contextmanager
def _told_how_to_go_on(run: Run) -> Iterator[None]:
    """Say how a run goes on that was stopped; one whose data is no good leaves nothing, if nothing was trained."""
    anew = f"POST /datasets/{run.record.identity.dataset}/jobs"
    again = f"stopped; go on with: {way(f'tidewatch train --resume {shlex.quote(run.spelled)}', anew)}"
    try:
        yield
    except RunError:
        raise  # nothing was begun
    except Diverged as error:
        click.echo(f"{again} {option('set', f'training.learning_rate={error.calmer:g}')}", err=True)
        raise
    except KeyboardInterrupt:
        click.echo(again, err=True)
        raise click.Abort from None
    except (TidewatchError, OSError) as error:
        would_fail_again = isinstance(error, TooLittleData)
        if not run.artifacts.ingestion.exists() or (would_fail_again and "train" not in run.record.stages):
            shutil.rmtree(run.root)
        elif not would_fail_again:
            click.echo(again, err=True)
        raise


def _close(console: Console, run: Run, tracked: str, seconds: float) -> None:
    """Which release serves, where to look, and what to do next."""
    spelled = shlex.quote(run.spelled)
    if run.is_complete:
        result, dataset, release = outcome.load(run.artifacts), run.record.identity.dataset, run.record.identity.release
        show(console, result)
        promoted = result.publication.version is not None
        state = "now serves" if promoted else "is published, and does not serve yet:"
        console.print(f"[bold]{release}[/bold] {state} dataset [bold]{dataset}[/bold] ({seconds:.0f} s)")
        console.print(f"report: {escape(str(run.artifacts.report))}", soft_wrap=True)
        data = shlex.quote(str(run.request.data))
        command = way(f"tidewatch score --data {data} --dataset {dataset}", f"POST /predict?dataset={dataset}")
        if not promoted:
            request = f"POST /releases/{dataset}/{release}/promote"
            command = way(f"tidewatch releases promote {dataset} {release}", request)
    else:
        command = f"tidewatch train --run {spelled}"
    console.print(f"artifacts: {escape(str(run.artifacts.tree))}", soft_wrap=True)
    if tracked:
        console.print(f"tracked: {escape(tracked)}", soft_wrap=True)
    console.print(f"next: [bold]{escape(command)}[/bold]", soft_wrap=True)
