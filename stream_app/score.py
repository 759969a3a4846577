"""`tidewatch score`: a file through the same core as the worker's, without Kafka; the very flags it would publish."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click
import torch
from rich.console import Console
from rich.progress import Progress

from config.options import with_settings
from config.settings import Settings
from models import bundle
from models.detector import Detector
from models.flags import Flags
from models.store import open_store
from models.store.base import Store, naming
from models.stream import Counts, StreamDetector
from schemas.errors import TidewatchError
from schemas.printable import printable
from training.ingest import Table, read
from training.options import reading_options
from training.roles import Wanted, listed
from training.scan import scan
from training.times import spelled

PACE = 1.5  # times more or less often is another pace


class ScoreError(TidewatchError):
    """A file can not be scored by the detector that was asked for, or the flags can not be written."""


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path), help="CSV (.gz too), Parquet, or a folder.")
@click.option("--dataset", required=True, help="The name of the detector.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write the flags.  [default: standard output]")
@click.option("--all", "everything", is_flag=True, help="Every window, as with `publish: all`; not only flagged ones.")
@click.option("--release", metavar="ID", help="A release by its name, instead of the champion.")
@reading_options
@with_settings
def score(
    data: Path,
    dataset: str,
    output: Path | None,
    everything: bool,
    release: str | None,
    wanted: Wanted,
    settings: Settings,
) -> None:
    """Score a file and print its flags as JSON lines: the flags a worker would publish if the file were produced.

    The file is read as `tidewatch train` reads it (docs/data.md), and judged in order of time over all series, from its
    first reading on. A summary goes to standard error.

    \b
    Examples:
      tidewatch score --data pumps.csv --dataset pumps
      tidewatch score --data pumps.csv --dataset pumps --all --output windows.jsonl
      tidewatch score --data pumps.csv --dataset pumps --release 20260829T101500Z-3f2a91
    """
    torch.set_num_threads(settings.worker.threads)
    detector = find(open_store(settings.store.url), settings.store.url, dataset, release)
    table = read(data, wanted)
    for note in (*table.notes, *mismatches(table, detector)):
        click.secho(f"note: {note}", dim=True, err=True)
    outcome = Outcome(detector, table)
    began = time.monotonic()
    console = Console(stderr=True)
    with writer(output) as stream, Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("scoring", total=table.rows)
        for flags in judged(outcome, everything):
            stream.writelines(value + b"\n" for value in flags.values)
            bar.update(task, completed=outcome.readings)
    click.secho(outcome.sentence(time.monotonic() - began), dim=True, err=True)


def find(store: Store, url: str, dataset: str, release: str | None) -> Detector:
    """The detector of a release, or of the champion."""
    if release is None:
        champion = store.champion(dataset)
        if champion is None:
            way = f"tidewatch train --data FILE --dataset {dataset}"
            raise ScoreError(f"dataset '{dataset}' has no release in {url}; make one: {way}")
        release = champion.release
    with naming(dataset, release):
        return bundle.load(store.fetch(dataset, release))


def mismatches(table: Table, detector: Detector) -> list[str]:
    """Which columns of the file the detector does not know, and which it misses; an error if they share none."""
    unknown = [name for name in table.features if name not in detector.features]
    lacking = [name for name in detector.features if name not in table.features]
    if len(lacking) == len(detector.features):
        raise ScoreError(
            f"{table.files[0]} has none of the features that dataset '{detector.dataset}' was trained on "
            f"({listed(detector.features)}); it has {listed(table.features)}"
        )
    notes = [f"column '{name}' is ignored: the detector does not know it" for name in unknown]
    notes += [f"feature '{name}' is missing in every reading: the file has no such column" for name in lacking]
    return [printable(note) for note in notes] + other_pace(table, detector)


def other_pace(table: Table, detector: Detector) -> list[str]:
    """Say when readings come more or less often than those that the detector was trained on."""
    ours, trained = table.interval_us, detector.interval_us
    if 1 / PACE < ours / trained < PACE or all(len(series.times) < 2 for series in table.series):
        return []
    usual = spelled(trained)
    way = f"; --resample {usual.replace(' ', '')} would make them alike" if ours < trained else ""
    return [f"readings come each {spelled(ours)}, those that the detector was trained on each {usual}{way}"]


@dataclass
class Outcome:
    """One run, and how far it has come."""

    detector: Detector
    table: Table
    readings: int = 0
    windows: int = 0
    flagged: int = 0
    gaps: int = 0

    def count(self, counts: Counts, flagged: int) -> None:
        """A chunk is judged."""
        self.readings += counts.readings
        self.windows += counts.windows
        self.gaps += counts.gaps
        self.flagged += flagged

    def sentence(self, seconds: float) -> str:
        """Totals in a sentence."""
        share = f" ({self.flagged / self.windows:.2%})" if self.windows else ""
        short = sum(len(series.times) < self.detector.window for series in self.table.series)
        return (
            f"{self.readings:,} readings of {len(self.table.series):,} series in {seconds:.1f} s: "
            f"{self.windows:,} windows, {self.flagged:,} flagged{share}"
            + (f"; {self.gaps:,} pauses restarted a window" if self.gaps else "")
            + (f"; {short:,} series shorter than a window of {self.detector.window}" if short else "")
            + f"; release {self.detector.release} of '{self.detector.dataset}'"
        )


def judged(outcome: Outcome, everything: bool) -> Iterator[Flags]:
    """The flags, chunk by chunk, in order of time."""
    stream = StreamDetector(outcome.detector)
    for observed in scan(stream, outcome.table):
        outcome.count(observed.counts, int(observed.is_anomaly.sum()))
        yield stream.flags(observed, everything)


@contextmanager
def writer(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as stream:
            yield stream
    except OSError as error:
        raise ScoreError(f"{output} can not be written: {error.strerror}") from error
