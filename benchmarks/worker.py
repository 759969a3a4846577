"""How fast the worker is, end to end on a real Kafka: `python -m benchmarks.worker`, or `make bench`.

Everything is measured in one run, on one machine, against the naive way and the stock path, as ratios. Core 0 has the
worker, core 1 the broker and whoever feeds it. The figures go to `benchmarks/results/worker.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.bed import Bed, Scale, bed, say
from benchmarks.latency import latency
from benchmarks.processes import python
from benchmarks.takeover import startup, takeover
from benchmarks.throughput import throughput, two_workers

RESULTS = Path(__file__).parent / "results" / "worker.json"
QUICK = Scale(series=2000, scored=20, repeats=1, naive_series=50, naive_windows=500, latency_seconds=5)


def measure(made: Bed) -> dict[str, Any]:
    """All figures of the worker."""
    figures = throughput(made)
    figures |= latency(made, figures["readings_per_second"])
    figures |= json.loads(python("benchmarks.memory", str(made.release), str(made.scale.series)))
    figures |= json.loads(python("benchmarks.default"))
    figures |= two_workers(made)
    figures |= startup(made)
    figures |= takeover(made)
    return figures


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "packages": {name: version(name) for name in ("torch", "aiokafka", "faust-streaming", "msgspec", "numpy")},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that the benchmark runs")
    parser.add_argument("--repeats", type=int, default=5, help="turns of which the medians are taken")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the figures go")
    chosen = parser.parse_args()
    with bed(QUICK if chosen.quick else Scale(repeats=chosen.repeats)) as made:
        figures = {"machine": machine(), "repeats": made.scale.repeats, **measure(made)}
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
    say(f"written to {chosen.output}")


if __name__ == "__main__":
    main()
