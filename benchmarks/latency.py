"""From produce to flag: readings are stamped with the moment they are sent, flags are met as they come out."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import numpy as np

from benchmarks import traffic
from benchmarks.bed import WINDOW, Bed, say
from benchmarks.processes import wait_for
from benchmarks.stock import assign_all, consumer

SERIES = 1000  # so that each is read several times a second, and windows are whole after a few seconds


class End(msgspec.Struct):
    """Of a flag, when its last reading was sent."""

    timestamp: str


def latency(bed: Bed, capacity: float) -> dict[str, float]:
    """p50 and p99 in milliseconds at 70 % of the capacity, measured after the windows are whole."""
    rate = 0.7 * capacity
    say(f"latency at {rate:,.0f} readings a second")
    asyncio.run(traffic.create_topics(bed.broker, ["paced", "latency-anomalies"], bed.scale.partitions))
    with bed.worker("paced", "latency") as running:
        wait_for("readiness", running.ready)
        waits = asyncio.run(_measure(bed, rate))
    if not waits:
        raise RuntimeError(f"no flag came within {bed.scale.latency_seconds} s at {rate:.0f} readings a second")
    return {
        "latency_rate": round(rate),
        "latency_flags": len(waits),
        "p50_ms": round(float(np.percentile(waits, 50)), 1),
        "p99_ms": round(float(np.percentile(waits, 99)), 1),
    }


async def _measure(bed: Bed, rate: float) -> list[float]:
    """Milliseconds from the stamp to the arrival here, without the seconds in which workers warm up."""
    settle = 3 * WINDOW * SERIES / rate  # three windows each
    seconds = settle + bed.scale.latency_seconds
    begin = time.time() + settle
    met = asyncio.create_task(_meet(bed, begin))
    await traffic.pace(bed.broker, "paced", rate, seconds, SERIES, bed.scale.partitions)
    await asyncio.sleep(1)
    met.cancel()
    return await met


async def _meet(bed: Bed, begin: float) -> list[float]:
    client = consumer(bed.broker)
    await assign_all(client, bed.broker, "latency-anomalies")
    decode = msgspec.json.Decoder(End).decode
    waits: list[float] = []
    try:
        while True:
            chunks: dict[Any, Any] = await client.getmany(timeout_ms=100)
            now = time.time()
            sent = [_seconds(decode(record.value)) for records in chunks.values() for record in records]
            waits += [(now - at) * 1e3 for at in sent if at >= begin]
    except asyncio.CancelledError:
        return waits
    finally:
        await client.stop()


def _seconds(end: End) -> float:
    return float(np.datetime64(end.timestamp.removesuffix("Z"), "us").astype(np.int64)) / 1e6
