"""`tidewatch releases`: what there is, what serves, and which is to serve."""

from __future__ import annotations

import os
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from config.options import with_settings
from config.settings import Settings
from models.store import open_store
from models.store.base import Store, StoreError, rollback
from schemas.manifest import Champion
from stream_app.catalogue import describe, row
from training import tracking_uri
from training.mirror import mirror

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def releases() -> None:
    """List, show, promote and roll back trained detectors.

    A worker looks every few seconds which release is the champion of a dataset, and goes over to it between two chunks.

    \b
    Examples:
      tidewatch releases list
      tidewatch releases show pumps
      tidewatch releases rollback pumps
    """


@releases.command("list")
@click.argument("dataset", required=False)
@as_json
@with_settings
def list_(dataset: str | None, as_json: bool, settings: Settings) -> None:
    """List the releases of DATASET, or of all datasets, oldest first.

    \b
    Examples:
      tidewatch releases list
      tidewatch releases list pumps --json
    """
    store = open_store(settings.store.url)
    rows = [row(store, name, release) for name, release in store.releases(dataset)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif rows:
        Console().print(listing(rows))
    else:
        where = f"dataset '{dataset}' has" if dataset else "there are"
        click.echo(f"{where} no releases in {settings.store.url}; make one: tidewatch train --data FILE --dataset NAME")


@releases.command()
@click.argument("dataset")
@click.argument("release", required=False)
@as_json
@with_settings
def show(dataset: str, release: str | None, as_json: bool, settings: Settings) -> None:
    """Show what RELEASE of DATASET is: how it was made, its threshold, its files. Without RELEASE, the champion.

    \b
    Examples:
      tidewatch releases show pumps
      tidewatch releases show pumps 20260829T101500Z-3f2a91 --json
    """
    store = open_store(settings.store.url)
    about = describe(store, dataset, release or champion_of(store, dataset).release)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(about)).decode())
    else:
        Console().print(card(about))


@releases.command()
@click.argument("dataset")
@click.argument("release")
@as_json
@with_settings
def promote(dataset: str, release: str, as_json: bool, settings: Settings) -> None:
    """Let RELEASE serve DATASET; workers go over to it within seconds.

    \b
    Example:
      tidewatch releases promote pumps 20260829T101500Z-3f2a91
    """
    _tell(dataset, open_store(settings.store.url).promote(dataset, release), as_json)


@releases.command("rollback")
@click.argument("dataset")
@as_json
@with_settings
def rollback_(dataset: str, as_json: bool, settings: Settings) -> None:
    """Let the release serve DATASET that served before the champion; each further time the one before that.

    What was rolled back from comes back by `promote` alone.

    \b
    Example:
      tidewatch releases rollback pumps
    """
    _tell(dataset, rollback(open_store(settings.store.url), dataset), as_json)


def champion_of(store: Store, dataset: str) -> Champion:
    """The champion, or a StoreError that says what to do."""
    champion = store.champion(dataset)
    if champion is None:
        raise StoreError(f"dataset '{dataset}' has no champion; see what there is: tidewatch releases list")
    return champion


def listing(rows: list[dict[str, Any]]) -> Table:
    """Releases as a table."""
    table = Table(box=None, pad_edge=False)
    for column in ("dataset", "release", "created", "features", "window", ""):
        table.add_column(column, justify="right" if column in {"features", "window"} else "left")
    for about in rows:
        state = "[green]serves[/green]" if about["serves"] else ""
        state = f"[red]broken: {escape(str(about['problem']))}[/red]" if "problem" in about else state
        cells = [escape(str(about.get(key, "-"))) for key in ("dataset", "release", "created", "features", "window")]
        table.add_row(*cells, state, style="bold" if about["serves"] else "")
    return table


def card(about: dict[str, Any]) -> Table:
    """A release as a table of two columns."""
    window, threshold, calibration = about["window"], about["threshold"], about["calibration"]
    lines = {
        "dataset": about["dataset"],
        "release": about["release"] + (" (serves)" if about["serves"] else ""),
        "created": f"{about['created']} by Tidewatch {about['code_version']}",
        "features": f"{len(about['features'])}: {', '.join(about['features'])}",
        "window": f"{window['size']} readings, a new one every {window['stride']}",
        "networks": f"{', '.join(about['networks'])}, combined by {about['combine']}",
        "threshold": f"{threshold['method']}, promises {threshold['rate']:.2%} of normal windows",
        "calibration": f"error median {calibration['error_median']:.4g}, 95 % below {calibration['error_p95']:.4g}; "
        f"{calibration['anomaly_rate']:.2%} above the threshold",
        "config": f"SHA-256 {about['config_digest']}",
        "files": ", ".join(f"{name} ({size:,})" for name, size in about["files"].items()),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, text in lines.items():
        table.add_row(name, Text(text))  # names of features may look like rich's own tags
    return table


def _tell(dataset: str, champion: Champion, as_json: bool) -> None:
    """Say which release serves, to MLflow too."""
    if as_json:
        click.echo(msgspec.json.encode(champion).decode())
    else:
        before = f"; before it served {champion.previous[-1]}" if champion.previous else ""
        click.echo(f"{champion.release} serves dataset '{dataset}'{before}")
    mirror(tracking_uri.named(os.environ), dataset, champion.release, _warn)


def _warn(text: str) -> None:
    click.echo(f"warning: {text}", err=True)
