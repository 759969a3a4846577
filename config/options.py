"""How a command takes settings: `--setting KEY=VALUE` overrides one, whatever files and environment say."""

from __future__ import annotations

from collections.abc import Sequence

import click

from config.settings import Settings, load

HELP = "Override a setting for this run, such as kafka.group=canary (repeatable; `tidewatch config` lists them)."


def assignments(ctx: click.Context, parameter: click.Parameter, pairs: Sequence[str]) -> dict[str, str]:
    """`kafka.group=canary` as `{"kafka.group": "canary"}`; a usage error without a key or an equals sign."""
    split = [pair.partition("=") for pair in pairs]
    for pair, (key, equals, _) in zip(pairs, split, strict=True):
        if not key or not equals:
            raise click.BadParameter(f"{pair!r} is no KEY=VALUE, such as kafka.group=canary", ctx, parameter)
    return {key.strip(): value.strip() for key, _, value in split}


def _settings(ctx: click.Context, parameter: click.Parameter, pairs: Sequence[str]) -> Settings:
    return load(assignments(ctx, parameter, pairs))


# The command gets the argument `settings`, read once, here.
with_settings = click.option("--setting", "settings", multiple=True, metavar="KEY=VALUE", callback=_settings, help=HELP)

# The command gets the argument `overrides`, dotted key -> text, for `load`: where options of its own set more.
with_overrides = click.option(
    "--setting", "overrides", multiple=True, metavar="KEY=VALUE", callback=assignments, help=HELP
)
