"""How long /predict of the admin takes with many clients at once, beside an endpoint that does nothing.

Both are served by uvicorn in processes of their own, asked in turn by the same clients with the same bodies: a window
of rows and a few more. A client sends its next request when it has its answer. Ratios are taken turn by turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from statistics import median
from typing import Any

import aiohttp
import numpy as np

from benchmarks import traffic
from benchmarks.bed import say, train
from benchmarks.processes import wait_for
from benchmarks.worker import machine

RESULTS = Path(__file__).parent / "results" / "admin.json"
WINDOW, ROWS = 32, 40
CLIENTS = 50
PERCENTILES = (50, 95, 99)
APPS = {"predict": "stream_app.admin.api:app", "nothing": "benchmarks.admin_nothing:app"}
PACKAGES = Path(__file__).parents[1]


@contextmanager
def serving(app: str, folder: Path) -> Iterator[str]:
    """The address of an app that is served meanwhile."""
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    changed = {
        "TIDEWATCH_STORE__URL": f"dir:{folder / 'store'}",
        "TIDEWATCH_ADMIN__FOLDER": str(folder / "admin"),
        "PYTHONPATH": str(PACKAGES),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, env={**os.environ, **changed}, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{app} answers", lambda: _answers(f"{address}/healthz"))
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


async def ask(address: str, seconds: float) -> dict[str, float]:
    """Requests a second and milliseconds of latency, of all clients together."""
    body = json.dumps({"dataset": "bench", "data": np.round(traffic.sensors(ROWS, seed=5), 3).tolist()}).encode()
    waits: list[float] = []
    began = time.perf_counter()

    async def client(session: aiohttp.ClientSession) -> None:
        while (sent := time.perf_counter()) - began < seconds:
            async with session.post(f"{address}/predict", data=body) as answer:
                await answer.read()
                answer.raise_for_status()
            waits.append((time.perf_counter() - sent) * 1000)

    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    took = time.perf_counter() - began
    figures = {f"p{one}_ms": float(np.percentile(waits, one)) for one in PERCENTILES}
    return {"requests_per_second": len(waits) / took, **figures}


def measure(seconds: float, turns: int) -> dict[str, Any]:
    """Medians of the turns, and of the ratios within each."""
    with tempfile.TemporaryDirectory(prefix="tidewatch-admin-") as name:
        folder = Path(name)
        train(folder, "plain", WINDOW)
        told: dict[str, list[dict[str, float]]] = {app: [] for app in APPS}
        with serving(APPS["predict"], folder) as ours, serving(APPS["nothing"], folder) as plain:
            for address in (ours, plain):
                asyncio.run(ask(address, 1.0))  # loads the detector
            for turn in range(turns):
                say(f"turn {turn + 1} of {turns}")
                for app, address in (("predict", ours), ("nothing", plain)):
                    told[app].append(asyncio.run(ask(address, seconds)))
    keys = list(told["predict"][0])
    pairs = list(zip(told["predict"], told["nothing"], strict=True))
    return {
        "machine": machine(),
        "clients": CLIENTS,
        "rows": ROWS,
        "window": WINDOW,
        "seconds": seconds,
        "turns": turns,
        **{app: {key: round(median(one[key] for one in each), 2) for key in keys} for app, each in told.items()},
        "predict_over_nothing": {key: round(median(one[key] / other[key] for one, other in pairs), 3) for key in keys},
    }


def main() -> None:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn, for each of the two")
    parser.add_argument("--turns", type=int, default=5, help="of which the medians are taken")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the figures go")
    chosen = parser.parse_args()
    figures = measure(chosen.seconds, chosen.turns)
    chosen.output.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
