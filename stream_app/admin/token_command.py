"""`tidewatch token`: who may use the admin."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from config.options import with_settings
from config.settings import Settings
from stream_app.admin.access import LOCAL, Caller
from stream_app.admin.audit import Audit
from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
from stream_app.admin.tokens import SCOPES, Tokens


@click.group()
def token() -> None:
    """Make, list and revoke the admin's tokens.

    As long as there is none, `tidewatch admin` answers its own machine alone, and who is on it is the owner `local`.
    What an owner has uploaded, others neither read nor replace. An owner may have several tokens: to change one, make
    the new one, give it out, and revoke the old one. A running admin knows of it within a second.

    \b
    Examples:
      tidewatch token create --owner plant-7
      tidewatch token create --owner grafana --scope read
      tidewatch token list
      tidewatch token revoke 3f2a91c0
    """


@token.command()
@click.option("--owner", required=True, help="Whose uploads it makes and reads; `local` is who worked without a token.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Repeatable.  [default: all]")
@with_settings
def create(owner: str, scopes: tuple[str, ...], settings: Settings) -> None:
    """Make a token and print it, this once: only its digest is kept.

    With the scope `read` it sees and predicts; with `operate` it uploads, trains, promotes and rolls back as well.

    \b
    Examples:
      tidewatch token create --owner plant-7
      tidewatch token create --owner grafana --scope read
    """
    tokens = _tokens(settings)
    made, text = tokens.create(owner, scopes or SCOPES)
    _note(tokens, "create token", made.id, f"{made.owner} may {' and '.join(made.scopes)}")
    click.echo(text)
    click.echo(f"token {made.id} of {made.owner} may {' and '.join(made.scopes)}; it is not shown again", err=True)


@token.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def list_(as_json: bool, settings: Settings) -> None:
    """List the tokens, without what is secret of them.

    \b
    Examples:
      tidewatch token list
      tidewatch token list --json
    """
    rows = [{key: value for key, value in asdict(one).items() if key != "digest"} for one in _tokens(settings).all()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo("no token yet; make one: tidewatch token create --owner NAME")
        return
    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = (" ".join(value) if isinstance(value, tuple) else value or "-" for value in row.values())
        table.add_row(*cells, style="dim" if row["revoked"] else None)
    Console(highlight=False).print(table)


@token.command()
@click.argument("identity", metavar="ID")
@with_settings
def revoke(identity: str, settings: Settings) -> None:
    """Make the token of this ID worthless.

    \b
    Example:
      tidewatch token revoke 3f2a91c0
    """
    tokens = _tokens(settings)
    tokens.revoke(identity)
    _note(tokens, "revoke token", identity)
    click.echo(f"token {identity} is revoked")


def _note(tokens: Tokens, action: str, identity: str, outcome: str = "done") -> None:
    """Put on record what was done: whoever has this command on the admin's folder is on its machine."""
    Audit(tokens.database).note(Caller(LOCAL, SCOPES), action, identity, outcome)


def _tokens(settings: Settings) -> Tokens:
    return Tokens(Database(settings.admin.folder / DATABASE))
