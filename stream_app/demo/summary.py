"""The truth against the flags: which faults were found, how soon, and what was cried for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stream_app.demo.faults import Fault

DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class Verdict:
    """A window's flag as the demo needs it: `time` is its last reading, `blamed` its features, worst first."""

    series: str
    time: int  # microseconds UTC
    score: float  # in units of the threshold it was held against: flagged when over 1
    flagged: bool
    blamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What became of one fault. A fault that nobody flagged has no delay."""

    fault: Fault
    delay: int | None = None  # microseconds from its first reading to the first flag
    blamed: str = ""  # the feature that its highest score blames most

    @property
    def found(self) -> bool:
        """At least one flag fell to it."""
        return self.delay is not None


@dataclass(frozen=True)
class KindSummary:
    """All faults of one kind."""

    kind: str
    faults: int
    found: int
    named: int  # found, and the faulty sensor is the one most blamed
    delay: float | None  # median over the found ones, microseconds


@dataclass(frozen=True)
class Summary:
    """What the demo says at the end about its detector."""

    kinds: tuple[KindSummary, ...]
    findings: tuple[Finding, ...]
    false_alarms: int  # runs of flags that belong to no fault
    series_days: float  # of plant time watched

    @property
    def faults(self) -> int:
        """How many there were."""
        return len(self.findings)

    @property
    def found(self) -> int:
        """How many of them were flagged."""
        return sum(finding.found for finding in self.findings)

    @property
    def false_alarms_a_day(self) -> float:
        """False alarms for each day of each series."""
        return self.false_alarms / self.series_days if self.series_days else float("nan")


def summarise(faults: Iterable[Fault], verdicts: Iterable[Verdict], window: int, series_days: float) -> Summary:
    """Hold the flagged windows against the faults; `window` is a window's length in microseconds.

    A fault is found by a flag from its first reading to one window after its last, both included. All other flags
    are false; of one series, those at most one window apart are one false alarm.
    """
    flags = sorted((each for each in verdicts if each.flagged), key=lambda flag: (flag.series, flag.time))
    findings = tuple(find(fault, flags, window) for fault in faults)
    false = [flag for flag in flags if not any(belongs(flag, finding.fault, window) for finding in findings)]
    kinds = dict.fromkeys(finding.fault.kind for finding in findings)
    by_kind = tuple(of_kind(kind, [each for each in findings if each.fault.kind == kind]) for kind in kinds)
    return Summary(by_kind, findings, runs(false, window), series_days)


def belongs(flag: Verdict, fault: Fault, window: int) -> bool:
    """Whether the window that ends at the flag's time can have seen the fault."""
    return flag.series == fault.series and fault.start <= flag.time <= fault.end + window


def find(fault: Fault, flags: Sequence[Verdict], window: int) -> Finding:
    """What flags, in order of time within a series, say of one fault."""
    own = [flag for flag in flags if belongs(flag, fault, window)]
    if not own:
        return Finding(fault)
    worst = max(own, key=lambda flag: flag.score)
    return Finding(fault, own[0].time - fault.start, worst.blamed[0] if worst.blamed else "")


def runs(flags: Sequence[Verdict], window: int) -> int:
    """How many stretches flags ordered by series and time fall into; a pause over one window parts two."""
    breaks = sum(a.series != b.series or b.time - a.time > window for a, b in pairwise(flags))
    return breaks + 1 if flags else 0


def of_kind(kind: str, findings: Sequence[Finding]) -> KindSummary:
    """Add up the findings of one kind."""
    found = [finding for finding in findings if finding.found]
    named = sum(finding.blamed == finding.fault.feature for finding in found)
    delays = [finding.delay for finding in found if finding.delay is not None]
    return KindSummary(kind, len(findings), len(found), named, float(np.median(delays)) if delays else None)


@dataclass(frozen=True)
class Pace:
    """How fast readings went in and flags came out, by the times Kafka keeps of their records."""

    readings: int
    seconds: float
    p50: float | None  # milliseconds from a reading's record to its window's flag
    p99: float | None

    @property
    def per_second(self) -> float:
        """Readings a second."""
        return self.readings / self.seconds if self.seconds else float("nan")


def pace(readings: int, seconds: float, latencies: Sequence[float]) -> Pace:
    """From the number of readings, how long they took, and milliseconds from reading to flag."""
    if not latencies:
        return Pace(readings, seconds, None, None)
    p50, p99 = np.percentile(latencies, [50, 99]).tolist()
    return Pace(readings, seconds, p50, p99)
