"""How long /predict of the admin takes with many clients at once, beside an endpoint that does nothing.

And beside itself with each prediction scored alone. All are served by uvicorn in processes of their own, asked in turn
by the same clients with the same bodies: a window of rows and a few more. A client sends its next request when it has
its answer. Ratios are taken turn by turn.
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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
ADMIN = "stream_app.admin.api:app"
APPS: dict[str, tuple[str, dict[str, str]]] = {  # by name: the app, and what is changed in its environment
    "predict": (ADMIN, {}),
    "alone": (ADMIN, {"TIDEWATCH_ADMIN__TURN_READINGS": "1"}),
    "nothing": ("benchmarks.admin_nothing:app", {}),
}
PACKAGES = Path(__file__).parents[1]


@contextmanager
def serving(name: str, folder: Path) -> Iterator[str]:
    """The address of an app that is served meanwhile."""
    app, own = APPS[name]
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    changed = {
        "TIDEWATCH_STORE__URL": f"dir:{folder / 'store'}",
        "TIDEWATCH_ADMIN__FOLDER": str(folder / name),
        "PYTHONPATH": str(PACKAGES),
        "OMP_NUM_THREADS": "1",
        **own,
    }
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, env={**os.environ, **changed}, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{name} answers", lambda: _answers(f"{address}/healthz"))
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
    with tempfile.TemporaryDirectory(prefix="tidewatch-admin-") as made:
        folder = Path(made)
        train(folder, "plain", WINDOW)
        told: dict[str, list[dict[str, float]]] = {name: [] for name in APPS}
        with ExitStack() as served:
            addresses = {name: served.enter_context(serving(name, folder)) for name in APPS}
            for address in addresses.values():
                asyncio.run(ask(address, min(1.0, seconds)))  # loads the detector
            for turn in range(turns):
                say(f"turn {turn + 1} of {turns}")
                for name, address in addresses.items():
                    told[name].append(asyncio.run(ask(address, seconds)))
    return {
        "machine": machine(),
        "clients": CLIENTS,
        "rows": ROWS,
        "window": WINDOW,
        "seconds": seconds,
        "turns": turns,
        **{name: {key: round(median(one[key] for one in each), 2) for key in each[0]} for name, each in told.items()},
        "predict_over_nothing": over(told["predict"], told["nothing"]),
        "predict_over_alone": over(told["predict"], told["alone"]),
    }


def over(figures: Sequence[dict[str, float]], others: Sequence[dict[str, float]]) -> dict[str, float]:
    """The medians of the ratios within each turn."""
    pairs = list(zip(figures, others, strict=True))
    return {key: round(median(one[key] / other[key] for one, other in pairs), 3) for key in figures[0]}


def main() -> None:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn, for each of the three")
    parser.add_argument("--turns", type=int, default=5, help="of which the medians are taken")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the figures go")
    chosen = parser.parse_args()
    figures = measure(chosen.seconds, chosen.turns)
    chosen.output.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
