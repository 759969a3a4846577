"""The table of last figures in README.md, written from `results/worker.json`: `python -m benchmarks.page`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "README.md"
RESULTS = Path(__file__).parent / "results" / "worker.json"
MARK = "<!-- figures -->\n"

ROWS = {
    "readings_per_second": ("readings a second, one worker on one core", ""),
    "us_per_reading": ("microseconds a reading", ""),
    "naive_us_per_reading": ("... of the naive way", ""),
    "times_naive": ("the naive way over the worker", "at least 30"),
    "non_model_us_per_reading": ("microseconds a reading, networks aside", ""),
    "stock_us_per_reading": ("... of the stock path", ""),
    "non_model_over_stock": ("networks aside, the worker over the stock path", "at most 1.0"),
    "latency_rate": ("readings a second for the latency (70 % of capacity)", ""),
    "p50_ms": ("milliseconds from produce to flag, median", ""),
    "p99_ms": ("... 99th percentile", ""),
    "bytes_per_series": ("bytes of memory a series", "at most 3,000"),
    "plain_64_us_per_reading": ("microseconds a reading in the core alone, the plain three networks on 64 rows", ""),
    "default_us_per_reading": ("... the default detector, which sees 64 rows too", ""),
    "default_over_plain": ("the default detector over the plain three networks", "at most 1.3"),
    "two_workers_over_one": ("two workers over one; the second shares its core with the broker", ""),
    "startup_seconds": ("seconds from start to /readyz", ""),
    "takeover_seconds": ("seconds from SIGKILL until the other worker has all 10,000 series", ""),
    "checkpoint_us_per_series": ("microseconds a checkpoint takes, a series", ""),
}


def table(figures: dict[str, Any]) -> str:
    """The figures that have a row, then the stages."""
    machine = figures["machine"]
    head = [
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, Python {machine['python']}, "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + ".",
        "",
        "| | figure | goal |",
        "|---|---|---|",
    ]
    rows = [f"| {text} (`{key}`) | {figures[key]:,} | {goal} |" for key, (text, goal) in ROWS.items() if key in figures]
    stages = figures["us_per_reading_by_stage"]
    cost = ["", "| stage, microseconds a reading |" + "".join(f" {name} |" for name in stages)]
    cost += ["|---|" + "---|" * len(stages), "| |" + "".join(f" {value} |" for value in stages.values())]
    return "\n".join([*head, *rows, *cost]) + "\n"


def main() -> None:
    """Put the table at the end of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{text}{MARK}\n{table(json.loads(RESULTS.read_text()))}", encoding="utf-8")


if __name__ == "__main__":
    main()
