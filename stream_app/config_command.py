"""`tidewatch config`: every setting, its value and where it came from; secrets stay hidden."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.layers import ignored_variables, leaves
from config.options import with_overrides
from config.settings import Loaded, Settings, load_with_origins


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON: key -> value and origin.")
@with_overrides
def config(as_json: bool, overrides: dict[str, str]) -> None:
    """Show every setting, its value and where it came from.

    Defaults < base.yaml < the overlay that TIDEWATCH_ENVIRONMENT names (local, staging, production) < environment
    variables (kafka.group is TIDEWATCH_KAFKA__GROUP) < the command line. Secrets are shown as stars.

    \b
    Examples:
      tidewatch config
      TIDEWATCH_ENVIRONMENT=production tidewatch config --json
      tidewatch config --setting kafka.group=canary
    """
    loaded = load_with_origins(overrides)
    if as_json:
        click.echo(json.dumps(_rows(loaded), indent=2))
    else:
        _print_table(loaded)
    for name, meant in ignored_variables(Settings).items():
        click.secho(f"note: {name} is ignored; did you mean {meant}?", fg="yellow", err=True)


def _rows(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """Dotted key -> value (JSON types, secrets as stars) and origin."""
    values = loaded.settings.model_dump(mode="json")
    return {key: {"value": _at(values, key), "origin": loaded.origins[key]} for key in leaves(Settings)}


def _at(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree[part]
    return tree


def _print_table(loaded: Loaded) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for key, row in _rows(loaded).items():
        changed = row["origin"] != "default"
        table.add_row(key, escape(_spelled(row["value"])), escape(row["origin"]), style="bold" if changed else "dim")
    Console().print(table)


def _spelled(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
