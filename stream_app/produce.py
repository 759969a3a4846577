"""`tidewatch produce`: a file's readings onto a readings topic."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.options import with_settings
from config.settings import Settings
from stream_app.connection import client_options
from stream_app.file_readings import FileReadings, shift_to
from stream_app.pace import send_paced
from stream_app.publisher import Publisher
from stream_app.topics import Topic, create_missing
from training.ingest import read
from training.options import reading_options
from training.roles import Wanted
from training.times import rfc3339


class Rate(click.ParamType):
    """Readings a second, or `max`."""

    name = "N|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """None for `max`."""
        if value in (None, "max"):
            return None
        try:
            rate = float(value)
        except ValueError:
            rate = 0
        if not 0 < rate < float("inf"):
            self.fail(f"{value!r} is no rate; give readings a second, such as 500, or max", param, ctx)
        return rate


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path), help="CSV (.gz too), Parquet, or a folder.")
@click.option("--dataset", required=True, help="The name of the detector that is to judge them.")
@click.option("--rate", type=Rate(), help="Readings a second over all series, or max.  [default: max]")
@reading_options
@click.option("--copies", type=click.IntRange(1), default=1, help="Send every series so many times, for load.")
@click.option("--shift-to-now", is_flag=True, help="Move all times alike, so that the newest is now.")
@click.option("--topic", help="The topic, instead of the first of kafka.readings_topics.")
@with_settings
def produce(
    data: Path,
    dataset: str,
    rate: float | None,
    wanted: Wanted,
    copies: int,
    shift_to_now: bool,
    topic: str | None,
    settings: Settings,
) -> None:
    """Send a file's readings to Kafka, in order of time over all series.

    The file is read as `tidewatch train` reads it. Missing values are sent as null, labels are not sent. The times stay
    the file's; a worker drops readings that are not newer than what it has of a series, so to send a file
    once more, use --shift-to-now, which moves all times by one span, with the newest reading at the present.
    With --copies N, series `pump` becomes `pump-1` to `pump-N`.

    \b
    Examples:
      tidewatch produce --data pumps.csv --dataset pumps
      tidewatch produce --data pumps.csv --dataset pumps --rate 200 --shift-to-now
      tidewatch produce --data pumps.csv.gz --dataset pumps --rate max --copies 1000
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters of it reaches the user as our error
    console = Console(stderr=True)
    options = client_options(settings.kafka)
    with console.status(f"reading {escape(str(data))}"):
        table = read(data, wanted)
    for note in table.notes:
        click.secho(f"note: {note}", dim=True, err=True)
    shift = shift_to(table, time.time_ns() // 1000) if shift_to_now else 0
    readings = FileReadings(table, dataset, copies, shift)
    sending = Sending(readings, topic or settings.kafka.readings_topics[0], rate, console)
    try:
        asyncio.run(sending.run(options, settings))
    except KeyboardInterrupt:
        click.echo(f"interrupted: {sending.outcome()}")
        raise click.Abort from None
    click.echo(sending.outcome())


class Sending:
    """One run: what is sent where, and how far it has come."""

    def __init__(self, readings: FileReadings, topic: str, rate: float | None, console: Console) -> None:
        self._readings, self._topic, self._rate, self._console = readings, topic, rate, console
        self._sent = 0
        self._began = time.monotonic()

    async def run(self, options: dict[str, Any], settings: Settings) -> None:
        """Make the topic if there is none, send all, show how far it is."""
        kafka = settings.kafka
        topic = Topic(self._topic, kafka.partitions, kafka.replication_factor)
        if await create_missing(options, [topic]):
            click.echo(f"made topic '{topic.name}' with {topic.partitions} partitions", err=True)
        publisher = Publisher(options, kafka.send_timeout_seconds)
        await publisher.start()
        self._began = time.monotonic()
        try:
            with _bar(self._console) as bar:
                bar.add_task(f"sending to '{self._topic}'", total=len(self._readings))
                await send_paced(publisher, self._topic, self._readings, self._rate, partial(self._count, bar))
        finally:
            await publisher.stop()

    def _count(self, bar: Progress, more: int) -> None:
        self._sent += more
        bar.update(bar.task_ids[0], completed=self._sent)

    def outcome(self) -> str:
        """Totals in a sentence."""
        seconds = max(time.monotonic() - self._began, 1e-3)
        whole = self._sent == len(self._readings)
        return (
            f"sent {self._sent:,}{'' if whole else f' of {len(self._readings):,}'} readings "
            f"of {self._readings.series:,} series to '{self._topic}' in {seconds:.1f} s, "
            f"{self._sent / seconds:,.0f} a second{f'; {self._span()}' if whole else ''}"
        )

    def _span(self) -> str:
        times = [series.times for series in self._readings.table.series]
        first, last = min(int(each[0]) for each in times), max(int(each[-1]) for each in times)
        return f"their times: {rfc3339(first + self._readings.shift_us)} to {rfc3339(last + self._readings.shift_us)}"


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
