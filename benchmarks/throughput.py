"""Readings a second through the real worker, against the naive way and the stock path, in turn."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks import traffic
from benchmarks.bed import WINDOW, Bed, say
from benchmarks.processes import Metrics, Worker, python, wait_for

Moment = tuple[float, Metrics]
LOOK_SECONDS = 1.0  # between looks at /metrics: each takes the worker some 4 ms, and Prometheus looks every 15 s
WINDOWS = "tidewatch_windows_scored_total"
STAGE = "tidewatch_stage_seconds_total{"


def throughput(bed: Bed) -> dict[str, Any]:
    """Medians of one pinned worker, of the stock path and of the naive way, run one after the other, repeatedly."""
    say("filling a topic")
    sent = bed.fill("readings", bed.scale.series, 0, WINDOW - 1 + bed.scale.scored)
    bed.fill("naive", bed.scale.naive_series, 0, WINDOW + 3 + bed.scale.naive_windows // bed.scale.naive_series)
    say(f"{sent:,} readings wait; the worker, the stock path and the naive way in turn")
    ours, stocks, naives = [], [], []
    for turn in range(bed.scale.repeats):
        ours.append(capacity(bed, f"bench-{turn}"))
        stocks.append(stock(bed, f"bench-{turn}", turn))
        naives.append(naive(bed, turn))
        say(f"  worker {ours[-1]['us_per_reading']:.1f}, stock {stocks[-1]:.2f}, naive {naives[-1]:.0f} us a reading")
    return _compared(ours, stocks, naives)


def capacity(bed: Bed, group: str) -> dict[str, Any]:
    """One pinned worker on the filled topic, over the middle 80 % of its scored windows."""
    total = bed.scale.series * bed.scale.scored
    with bed.worker("readings", group) as running:
        wait_for("readiness", running.ready)
        return _between(at_windows(running, total * 0.1), at_windows(running, total * 0.9))


def at_windows(running: Worker, windows: float) -> Moment:
    """The moment at which the worker has scored so many windows, with its metrics."""

    def reached() -> Moment | None:
        metrics, now = running.metrics(), time.perf_counter()
        return (now, metrics) if metrics[WINDOWS] >= windows else None

    return wait_for(f"{windows:.0f} scored windows", reached, seconds=900, every=LOOK_SECONDS)


def _between(first: Moment, last: Moment) -> dict[str, Any]:
    seconds = last[0] - first[0]
    readings = last[1][WINDOWS] - first[1][WINDOWS]
    spent = {name: value - first[1][name] for name, value in last[1].items() if name.startswith(STAGE)}
    return {
        "readings_per_second": readings / seconds,
        "us_per_reading": seconds / readings * 1e6,
        "stages": {name.removeprefix(STAGE).rstrip("}"): value / readings * 1e6 for name, value in spent.items()},
    }


def stock(bed: Bed, group: str, turn: int) -> float:
    """Microseconds a reading of the stock path, with the flags that the worker published."""
    out = f"stock-{turn}"
    asyncio.run(traffic.create_topics(bed.broker, [out], bed.scale.partitions))
    count = str(bed.scale.series * 10)
    figures = json.loads(python("benchmarks.stock", bed.broker, "readings", f"{group}-anomalies", out, count))
    return float(figures["seconds"] / figures["readings"] * 1e6)


def naive(bed: Bed, turn: int) -> float:
    """Microseconds a reading of the naive worker."""
    out, warm_up, scored = f"naive-{turn}", str(bed.scale.naive_series), str(bed.scale.naive_windows)
    asyncio.run(traffic.create_topics(bed.broker, [out], bed.scale.partitions))
    figures = json.loads(python("benchmarks.naive_worker", bed.broker, "naive", out, str(bed.release), warm_up, scored))
    return float(figures["seconds"] / figures["windows"] * 1e6)


def _compared(ours: list[dict[str, Any]], stocks: list[float], naives: list[float]) -> dict[str, Any]:
    """Each ratio is taken turn by turn, and then the median of the turns."""
    others = [run["us_per_reading"] - run["stages"].get("model", 0.0) for run in ours]
    stages = {
        name: round(median(run["stages"].get(name, 0.0) for run in ours), 2) for name in sorted(ours[0]["stages"])
    }
    return {
        "readings_per_second": round(median(run["readings_per_second"] for run in ours)),
        "us_per_reading": round(median(run["us_per_reading"] for run in ours), 2),
        "us_per_reading_by_stage": stages,
        "non_model_us_per_reading": round(median(others), 2),
        "stock_us_per_reading": round(median(stocks), 2),
        "naive_us_per_reading": round(median(naives), 1),
        "times_naive": round(median(n / o["us_per_reading"] for n, o in zip(naives, ours, strict=True)), 1),
        "non_model_over_stock": round(median(o / s for o, s in zip(others, stocks, strict=True)), 3),
    }


def two_workers(bed: Bed) -> dict[str, float]:
    """Two workers, a core each (one shares its core with the broker), over one alone; readings a second of both."""
    say("two workers against one")
    ratios = []
    for turn in range(3):
        alone = _rate(bed, f"alone-{turn}", cores=[0])
        together = _rate(bed, f"pair-{turn}", cores=[0, 1])
        ratios.append(together / alone)
    return {"two_workers_over_one": round(median(ratios), 2)}


def _rate(bed: Bed, group: str, cores: list[int]) -> float:
    """Windows a second of all workers of a group together, while every one of them has something to do."""
    share = bed.scale.series * bed.scale.scored / len(cores)
    contexts = [bed.worker("readings", group, core) for core in cores]
    workers = [context.__enter__() for context in contexts]
    try:
        first = _together(workers, lambda each: min(each) >= 0.1 * share)
        last = _together(workers, lambda each: max(each) >= 0.8 * share)
    finally:
        for context in contexts:
            context.__exit__(None, None, None)
    return (last[1] - first[1]) / (last[0] - first[0])


def _together(workers: list[Worker], reached: Callable[[list[float]], bool]) -> tuple[float, float]:
    """The moment at which the workers' counts of windows say so, and how many they are in all."""

    def probe() -> tuple[float, float] | None:
        each = [running.metrics()[WINDOWS] for running in workers]
        return (time.perf_counter(), sum(each)) if reached(each) else None

    return wait_for("windows of all workers", probe, seconds=900, every=LOOK_SECONDS)
