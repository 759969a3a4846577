"""`tidewatch worker`: readings from Kafka in, flags out, until stopped."""

from __future__ import annotations

import click

from config.options import HELP, assignments
from config.settings import load
from stream_app.worker import Process, build


@click.command()
@click.option("--topic", "topics", multiple=True, help="Read this topic instead of kafka.readings_topics (repeatable).")
@click.option("--group", help="The consumer group; workers of one group share the partitions.  [kafka.group]")
@click.option("--publish", type=click.Choice(["flagged", "all"]), help="Which windows to publish.")
@click.option("--port", type=click.IntRange(0, 65535), help="For /metrics, /healthz and /readyz; 0 takes a free one.")
@click.option("--setting", "pairs", multiple=True, metavar="KEY=VALUE", callback=assignments, help=HELP)
def worker(
    topics: tuple[str, ...], group: str | None, publish: str | None, port: int | None, pairs: dict[str, str]
) -> None:
    """Score readings from Kafka and publish flags, until stopped.

    Missing topics are made. A dataset's detector is loaded when its first reading comes, and replaced between two
    chunks when another release is promoted. Start as many workers as there are partitions: they share them, and when
    one goes the others take over where it was. Ends with 0 on SIGTERM or Ctrl-C, with 1 if it can not go on.

    \b
    Examples:
      tidewatch worker
      tidewatch worker --publish all --port 6067
      tidewatch worker --topic plant-a --topic plant-b --group canary
    """
    told = {"kafka.readings_topics": list(topics) or None, "kafka.group": group, "publish": publish, "web.port": port}
    settings = load({**pairs, **{key: value for key, value in told.items() if value is not None}})
    app = build(settings)
    app.finalize()
    Process(app, loglevel=settings.log.level, logging_config=app.conf.logging_config).execute_from_commandline()
