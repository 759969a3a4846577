"""`tidewatch demo`: the commands of Tidewatch at work together, on a simulated plant or on a file of one's own."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from config.layers import variable
from config.settings import load
from stream_app.demo import play
from stream_app.demo.drift import play as drift_play
from stream_app.demo.run import Run
from stream_app.demo.upload import play as upload_play
from stream_app.local_kafka.ports import free_port

FOLDER = Path("var/demo")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Use this file instead: CSV (.gz too) or Parquet.")
@click.option("--seed", default=7, show_default=True, help="Another seed makes another plant with other faults.")
@click.option("--keep", is_flag=True, help="Leave the worker, its topics and Kafka running at the end.")
@click.option("--drift", is_flag=True, help="Let one sensor drift, and see the alerts of a real Prometheus.")
@click.option("--upload", is_flag=True, help="Send the past to the admin by curl, and leave its page open to try.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw the last page into this SVG.")
def demo(data: Path | None, seed: int, keep: bool, drift: bool, upload: bool, picture: Path | None) -> None:
    """See all of it at work: train a detector, stream readings through Kafka, watch the flags beside the truth.

    It runs the commands that you would run, and shows each. The plant has pumps with correlated sensors, and faults
    that the detector is not told of. Of a file of your own, the first 60 % of each series train the detector and the
    rest is streamed; if a column holds labels (anomaly, label, ...) the flags are held against them.
    What it makes is in var/demo; the detector goes to the store like any other. Kafka is the local one, or that of
    TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS. Ctrl-C ends it at any point and leaves nothing running.

    \b
    Examples:
      tidewatch demo
      tidewatch demo --seed 11
      tidewatch demo --data machine.csv
      tidewatch demo --drift
      tidewatch demo --upload
    """
    if drift and (data or picture or upload):
        raise click.UsageError("--drift plays the plant alone; leave out --data, --picture and --upload")
    if upload and picture:
        raise click.UsageError("--upload draws no picture; leave out --picture")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters of it comes as an error of ours
    with ends_like_ctrl_c():
        if drift:
            drift_play.play(new_run(keep, drift_play.SETTINGS), seed)
        elif upload:
            upload_play.play(new_run(keep, upload_play.settings(FOLDER)), data, seed)
        else:
            play.play(new_run(keep, {}), data, seed, picture)


def new_run(keep: bool, more: Mapping[str, str]) -> Run:
    """A run with a group, topics and a port of its own, and with these settings more."""
    name = f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    own = {
        "publish": "all",
        "kafka.group": name,
        "kafka.partitions": "1",  # few series: one chunk holds a reading of each
        "kafka.readings_topics": f"{name}-readings",
        "kafka.anomalies_topic": f"{name}-anomalies",
        "kafka.dead_letter_topic": f"{name}-readings.dlq",
        "web.host": "127.0.0.1",
        "web.port": str(free_port()),
        **more,
    }
    variables = {variable(key): value for key, value in own.items()}
    return Run(Console(highlight=False), FOLDER, load(own), variables, keep)


@contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """While this lasts, being told to end (SIGTERM, a closed terminal) is the same as Ctrl-C; so is how it ends."""
    signals = (signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, lambda *_: signal.raise_signal(signal.SIGINT)) for each in signals}
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
