"""`tidewatch watch`: flags as they come, with the features to blame."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import click

from config.options import with_settings
from config.settings import Settings
from schemas.flag import Attribution, Flag
from schemas.printable import printable
from stream_app.connection import client_options
from stream_app.flags import FlagStream, Seen

BAR_CELLS = 10
BAR_FULL = 5.0  # thresholds: a score this many times the threshold fills the bar
BLAMED = 3  # features at most
LEAST_SHARE = 0.05
SEVERE = 2.0  # thresholds


@click.command()
@click.option("--dataset", help="Only flags of this dataset.")
@click.option("--series", help="Only flags of this series.")
@click.option("--json", "as_json", is_flag=True, help="Print each flag as it is on the topic, one a line.")
@click.option("--all", "everything", is_flag=True, help="Windows that are not flagged too, if `publish` is `all`.")
@click.option("--from-beginning", is_flag=True, help="Start with the flags that the topic has already.")
@click.option("--max", "most", type=click.IntRange(1), help="End after so many flags.")
@click.option("--idle-exit", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="End when none comes.")
@with_settings
def watch(
    dataset: str | None,
    series: str | None,
    as_json: bool,
    everything: bool,
    from_beginning: bool,
    most: int | None,
    idle_exit: float | None,
    settings: Settings,
) -> None:
    """See flags as they come on kafka.anomalies_topic, until Ctrl-C.

    A line is the time of the window's last reading, the series, the score with its threshold (the bar is full at five
    times the threshold), and the features to blame: what was measured, what was expected, and the share in the score.

    \b
    Examples:
      tidewatch watch
      tidewatch watch --dataset pumps --series pump-7 --from-beginning
      tidewatch watch --json --from-beginning --idle-exit 2 > flags.jsonl
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away comes back, or we say so
    wanted = Wanted(dataset, series, everything)
    view = View(as_json)
    stream = FlagStream(client_options(settings.kafka), settings.kafka.anomalies_topic, from_beginning)
    try:
        asyncio.run(_show(stream, wanted, view, most, idle_exit))
    except KeyboardInterrupt:
        pass  # how a watch ends
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: neither flush at exit
        return
    click.secho(view.outcome(stream.unreadable), dim=True, err=True)


@dataclass(frozen=True)
class Wanted:
    """Which flags to show."""

    dataset: str | None
    series: str | None
    everything: bool

    def includes(self, flag: Flag) -> bool:
        """Whether it is to be shown."""
        return (
            self.dataset in (None, flag.dataset)
            and self.series in (None, flag.series_id)
            and (flag.is_anomaly or self.everything)
        )


@dataclass
class View:
    """Flags as lines on standard output, and a count of them."""

    as_json: bool
    shown: int = 0
    series: set[tuple[str, str]] = field(default_factory=set)

    def show(self, seen: Seen) -> None:
        """Print one flag."""
        self.shown += 1
        self.series.add((seen.flag.dataset, seen.flag.series_id))
        line = seen.raw.decode() if self.as_json else described(seen.flag)
        click.echo(line, color=False if os.environ.get("NO_COLOR") else None)

    def outcome(self, unreadable: int) -> str:
        """Totals in a sentence."""
        strange = f"; {unreadable} records of the topic are no flags" if unreadable else ""
        return f"flags shown: {self.shown}, of {len(self.series)} series{strange}"


async def _show(stream: FlagStream, wanted: Wanted, view: View, most: int | None, idle_seconds: float | None) -> None:
    async with stream:
        if not view.as_json:
            since = "its beginning" if stream.from_beginning else "now"
            click.secho(f"watching '{stream.topic}' from {since} on; Ctrl-C ends it", dim=True, err=True)
        flags = _matching(stream, wanted.includes)
        while view.shown != most:
            try:
                async with asyncio.timeout(idle_seconds):
                    seen = await anext(flags)
            except TimeoutError:
                return
            view.show(seen)


async def _matching(stream: FlagStream, includes: Callable[[Flag], bool]) -> AsyncIterator[Seen]:
    async for seen in stream:
        if includes(seen.flag):
            yield seen


def described(flag: Flag) -> str:
    """A flag as one line for people, with colours."""
    ratio = flag.score / flag.threshold
    colour = ("red" if ratio >= SEVERE else "yellow") if flag.is_anomaly else "green"
    time = flag.timestamp.replace("T", " ").removesuffix("Z")
    score = click.style(f"{_bar(ratio)} {flag.score:7.2f}", fg=colour, bold=ratio >= SEVERE)
    name = click.style(f"{flag.dataset}/{printable(flag.series_id)}", bold=True)
    return f"{click.style(time, dim=True)}  {name}  {score} / {flag.threshold:.2f}  {_blame(flag)}"


def _bar(ratio: float) -> str:
    full = round(min(max(ratio, 0.0) / BAR_FULL, 1.0) * BAR_CELLS)
    return "█" * full + "░" * (BAR_CELLS - full)


def _blame(flag: Flag) -> str:
    """The features with the largest shares: measured, expected, share; `~` marks a value that was filled in."""
    ranked = sorted(flag.attribution, key=lambda part: part.share, reverse=True)
    blamed = ranked[:1] + [part for part in ranked[1:BLAMED] if part.share >= LEAST_SHARE]
    return ", ".join(_part(part, part.feature in flag.imputed) for part in blamed)


def _part(part: Attribution, imputed: bool) -> str:
    mark = "~" if imputed else ""
    return f"{printable(part.feature)} {mark}{part.actual:.4g} not {part.expected:.4g} ({part.share:.0%})"
