"""`tidewatch runs`: what was trained, how far each run came, and which of them may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from training import runs as folder
from training.account import brief, full, summary
from training.prune import remove, size, superfluous
from training.ui import ui

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
COLOURS = {"done": "green", "running": "cyan", "failed": "red"}


@click.group()
def runs() -> None:
    """List, show, compare and prune training runs.

    A run is a folder under var/runs: what was asked for, what each stage left, and the losses of every epoch. The
    releases that runs made are in the store, and stay there when a run is removed: `tidewatch releases list`.

    \b
    Examples:
      tidewatch runs list
      tidewatch runs show 20260829T101500Z-3f2a91
      tidewatch runs prune --keep 5
      tidewatch runs ui
    """


runs.add_command(ui)


@runs.command("list")
@click.argument("dataset", required=False)
@as_json
def list_(dataset: str | None, as_json: bool) -> None:
    """List the runs of DATASET, or of all datasets, oldest first.

    \b
    Examples:
      tidewatch runs list
      tidewatch runs list pumps --json
    """
    found = [brief(run) for run in folder.all_in() if dataset in {None, run.record.identity.dataset}]
    if as_json:
        _print_json(found)
    elif found:
        Console().print(listing(found))
    else:
        where = f"dataset '{dataset}' has" if dataset else "there are"
        click.echo(f"{where} no runs in {folder.RUNS}; make one: tidewatch train --data FILE --dataset NAME")


@runs.command()
@click.argument("run")
@as_json
def show(run: str, as_json: bool) -> None:
    """Show all of RUN, an id or a folder: what was asked for, its stages, losses, release, and where its files are.

    \b
    Examples:
      tidewatch runs show 20260829T101500Z-3f2a91
      tidewatch runs show trials/first --json
    """
    about = full(folder.find(run))
    if as_json:
        _print_json(about)
    else:
        console = Console(highlight=False)
        console.print(card(about), stages_grid(about), losses_grid(about), sep="\n\n")


@runs.command()
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Keep the newest N runs of each dataset.")
@click.option("--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Keep runs that are not so old.")
@click.option("--dataset", help="Only runs of this dataset.")
@click.option("--yes", is_flag=True, help="Remove them. Without it, it is only said what would go.")
def prune(keep: int | None, older_than: float | None, dataset: str | None, yes: bool) -> None:
    """Remove runs with all their files, by one rule or by both: then what goes breaks both.

    A run in progress is never removed. Releases stay in the store.

    \b
    Examples:
      tidewatch runs prune --keep 5
      tidewatch runs prune --older-than 30 --dataset pumps --yes
    """
    if keep is None and older_than is None:
        raise click.UsageError("Say which runs may go: --keep N, --older-than DAYS, or both.")
    age = None if older_than is None else timedelta(days=older_than)
    known = [run for run in folder.all_in() if dataset in {None, run.record.identity.dataset}]
    freed, gone = 0, 0
    for run in superfluous(known, datetime.now(UTC), keep, age):
        held = size(run.root)
        if not yes or remove(run):
            freed, gone = freed + held, gone + 1
            click.echo(f"{run.spelled}  {run.record.identity.dataset}  {summary(brief(run))}  {decimal(held)}")
    click.echo(closing(gone, len(known), freed, yes))


def closing(gone: int, known: int, freed: int, yes: bool) -> str:
    """What was done, or would be."""
    if not gone:
        return f"none of {known} runs may go"
    what = f"{gone} of {known} runs, {decimal(freed)} ({freed:,} bytes)"
    return f"removed {what}" if yes else f"would remove {what}; do it: add --yes"


def listing(rows: list[dict[str, Any]]) -> Table:
    """Runs as a table; a release that bears its run's name is not spelled out."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("run", no_wrap=True)
    for column, narrowest in {"dataset": 7, "when": 10, "state": 11, "best losses": 14, "release": 9}.items():
        table.add_column(column, overflow="fold", min_width=narrowest)
    for about in rows:
        losses = "\n".join(f"{name} {loss:.4f}" for name, loss in about["losses"].items())
        release = "published" if about["release"] == about["run"] else about["release"]
        table.add_row(
            Text(about["run"]),
            Text(about["dataset"]),
            about["created"][:16].replace("T", " "),
            _coloured(summary(about), about["state"]),
            losses or "-",
            release or "-",
        )
    return table


def card(about: dict[str, Any]) -> Table:
    """A run as a table of two columns."""
    release = about["release"] and f"{about['release']} in {about['store']}" + ", put into service" * about["promoted"]
    columns = (f"{role} {_spelled(wish)}" for role, wish in about["columns"].items())
    folders = (f"{name} ({decimal(count)})" for name, count in about["artifacts"].items())
    lines = {
        "run": f"{about['run']} of dataset {about['dataset']}",
        "created": f"{about['created']} by Tidewatch {about['code_version']}",
        "data": about["data"],
        "columns": "; ".join(columns) or "as found",
        "release": release or "not published",
        "folder": f"{about['folder']} ({decimal(about['bytes'])})",
        "artifacts": f"{about['folder']}/Artifact: {', '.join(folders)}",
        "config": f"{about['folder']}/{folder.RECORD}, or here by --json",
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, text in lines.items():
        table.add_row(name, Text(text))
    return table


def stages_grid(about: dict[str, Any]) -> Table:
    """What became of each stage."""
    table = Table(box=None, pad_edge=False)
    for column in ("stage", "state", "began", "seconds", ""):
        table.add_column(column, justify="right" if column == "seconds" else "left", overflow="fold")
    for name, of in about["stages"].items():
        seconds = f"{of['seconds']:.1f}" if of["seconds"] else ""
        table.add_row(name, _coloured(of["state"], of["state"]), of["began"], seconds, Text(of["error"]))
    return table


def losses_grid(about: dict[str, Any]) -> Table:
    """How the training of each network went."""
    table = Table(box=None, pad_edge=False)
    for column in ("network", "train loss", "validation loss", "best epoch", "seconds"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, of in about["networks"].items():
        best = f"{of['best_epoch']} of {of['epochs']}"
        table.add_row(name, f"{of['train_loss']:.4f}", f"{of['validation_loss']:.4f}", best, f"{of['seconds']:.1f}")
    return table


def _spelled(wish: Any) -> str:
    """A column, several, or how readings are put on a grid."""
    parts = wish.values() if isinstance(wish, dict) else [wish] if isinstance(wish, str) else wish
    return ", ".join(map(str, parts))


def _coloured(text: str, state: str) -> Text:
    return Text(text, COLOURS.get(state, "yellow"))


def _print_json(content: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(content)).decode())
