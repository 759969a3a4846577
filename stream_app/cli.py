"""The command `tidewatch`: its subcommands are imported only when called, so that help is instant."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NamedTuple

import click

from schemas.errors import TidewatchError

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


class Entry(NamedTuple):
    """A subcommand: where its click command is, and what it does in a line."""

    target: str
    summary: str


COMMANDS = {
    "demo": Entry("stream_app.demo.command:demo", "See all of it at work on a simulated plant, or on your own file."),
    "train": Entry("training.cli:train", "Train a detector from a file of readings and put it into service."),
    "runs": Entry("training.runs_command:runs", "List, show, compare and prune what was trained."),
    "worker": Entry("stream_app.worker_command:worker", "Score readings from Kafka and publish flags, until stopped."),
    "produce": Entry("stream_app.produce:produce", "Send a file's readings to Kafka."),
    "watch": Entry("stream_app.watch:watch", "See flags as they come, with the features to blame."),
    "drift": Entry("stream_app.drift_command:drift", "See how far the newest readings are from the training data."),
    "score": Entry("stream_app.score:score", "Score a file without Kafka: the flags the worker would give."),
    "releases": Entry("stream_app.releases:releases", "List, show, promote and roll back trained detectors."),
    "admin": Entry(
        "stream_app.admin.command:admin", "Take files over HTTP, train on them, and score rows, until stopped."
    ),
    "token": Entry("stream_app.admin.token_command:token", "Make, list and revoke the admin's tokens."),
    "kafka": Entry("stream_app.local_kafka.command:kafka", "Start and stop a real single-node Kafka on this machine."),
    "config": Entry("stream_app.config_command:config", "Show every setting, its value and where it came from."),
}


class CommandLine(click.Group):
    """A group whose commands are named in a table and imported when called; errors become one line and a code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command, or None if there is no such one."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and an unknown name is answered with the nearest known one."""
        if args[0] not in COMMANDS and (near := get_close_matches(args[0], COMMANDS, n=1)):
            ctx.fail(f"No such command '{args[0]}'; did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by the table alone: nothing is imported for help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run and leave with 0, 1 (a mistake we can name), 2 (usage) or 130 (Ctrl-C)."""
        extra["standalone_mode"] = False
        try:
            result = super().main(args, *rest, **extra)
        except TidewatchError as error:
            _say(str(error))
            sys.exit(1)
        except click.Abort:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # whoever read our output has enough: click ends us quietly
        except OSError as error:  # a full disk, a folder that is a file, no permission
            where = f"{error.filename}: " if error.filename else ""
            remedy = "; free some, and do it again" if error.errno == errno.ENOSPC else ""
            _say(f"{where}{error.strerror or error}{remedy}")
            sys.exit(1)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        sys.exit(result if isinstance(result, int) else 0)


def _say(error: str) -> None:
    click.secho(f"error: {error}", fg="red", err=True, color=False if os.environ.get("NO_COLOR") else None)


@click.group(cls=CommandLine, context_settings={"help_option_names": ["--help", "-h"]})
@click.version_option(package_name="tidewatch", message="tidewatch %(version)s")
def tidewatch() -> None:
    """Anomaly detection for sensor data on Kafka.

    `tidewatch COMMAND --help` explains each with examples; `tidewatch demo` shows them working together.
    """


def main() -> None:
    """The console command."""
    tidewatch(prog_name="tidewatch")
