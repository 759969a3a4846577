"""What the threshold and the alerts each make of a drift, a step, and a fault that stays.

    python -m benchmarks.drift_and_threshold
    python -m benchmarks.drift_and_threshold --set level.use=false     # with another detector: printed, not written

A detector of the default config is trained on quiet readings, then each world is streamed through the worker's core,
counted by its live statistics, and scraped every other minute; promtool runs the project's own rules on that.
The table goes to docs/drift.md.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.accuracy.sets import Series
from benchmarks.accuracy.trained import detector
from benchmarks.markdown import table, written
from config.settings import DriftSettings
from models.batch import Batch
from models.detector import Detector
from models.stream import StreamDetector
from monitoring import drift_metrics
from monitoring.drift import Drift
from monitoring.horizon import Span
from schemas.drift import Sample

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Change = Callable[[Float64, Float64], Float64]  # a feature's values (row, machine) from the change on, rows since it

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "drift.md"
MACHINES, FEATURES = 3, 4
LEARNT, BEFORE, AFTER = 6000, 540, 2500  # rows of a machine: in training, before the change, from there on
STEP_US = 10_000_000  # from one reading of a machine to its next
SCRAPE, MINUTES = 12, 2  # readings from one scrape to the next, and how long that is
FIRING = 'ALERTS{alertstate="firing"}'


@dataclass(frozen=True)
class World:
    """One feature of all machines changes; `young` if it had changed before they were first seen."""

    change: Change
    young: bool = False


def _step(size: float) -> Change:
    return lambda values, since: values + size


def _slope(size: float) -> Change:
    return lambda values, since: values + size * np.minimum(since / AFTER, 1)


WORLDS: Mapping[str, World] = {
    "nothing changes": World(lambda values, since: values),
    "slow drift, by 1 deviation in 7 hours": World(_slope(1)),
    "slow drift, by 4 deviations": World(_slope(4)),
    "slow drift, by 8 deviations": World(_slope(8)),
    "step of 2 deviations that stays": World(_step(2)),
    "step of 4": World(_step(4)),
    "step of 8": World(_step(8)),
    "step of 8, there when a machine is first seen": World(_step(8), young=True),
    "stuck at its last value": World(lambda values, since: np.broadcast_to(values[0], values.shape)),
    "noise three times as large": World(lambda values, since: 3 * values),
    "no values any more": World(lambda values, since: np.full_like(values, np.nan)),
}


@dataclass(frozen=True, eq=False)
class Seen:
    """What became of a world."""

    flags: Mask  # (row, machine) from the change on
    alerts: Mapping[str, int]  # minutes from the change to when it first fires

    def cells(self) -> list[str]:
        """Of the readings since the change: flagged of 100, of 1,000, at the 1,000th, at the last; then alerts."""
        shares = [self.flags[rows].mean() for rows in (slice(100), slice(1000), slice(950, 1000), slice(-200, None))]
        told = ", ".join(f"{name.removeprefix('Tidewatch')} {minutes} min" for name, minutes in self.alerts.items())
        return [*(f"{share:.0%}" for share in shares), told or "none"]


def readings(rows: int, seed: int) -> Float64:
    """Machines (row, machine, feature) whose features move slowly, and together; deviation 1."""
    draws = np.random.default_rng(seed).normal(size=(rows + 200, MACHINES, FEATURES + 1))
    smooth = lfilter([1], [1, -0.8], draws, axis=0)[200:]
    return np.asarray((smooth[..., :FEATURES] + smooth[..., FEATURES:]) * np.sqrt((1 - 0.8**2) / 2))


def trained(kept: Path, overrides: Sequence[str] = ()) -> Detector:
    """A detector that knows the quiet machines; `overrides` change the default config."""
    quiet = readings(LEARNT, seed=1).transpose(1, 0, 2).reshape(-1, FEATURES)
    return detector(Series("plant", "quiet", quiet, quiet[:200], np.empty((0, 2), np.int64)), overrides, kept)


def world_of(world: World, seed: int = 2) -> Float64:
    """Readings (row, machine, feature): quiet for BEFORE rows, then with the change; a young one always has it."""
    rows = readings(BEFORE + AFTER, seed)
    begin = 0 if world.young else BEFORE
    rows[begin:, :, 0] = world.change(rows[begin:, :, 0], np.arange(len(rows) - begin, dtype=np.float64)[:, None])
    return rows[begin:] if world.young else rows


def watch(watched: Detector, world: World, folder: Path) -> Seen:
    """Stream a world, and say what was flagged and which alerts fired."""
    rows = world_of(world)
    flags, scrapes = _streamed(watched, rows)
    begin = 0 if world.young else BEFORE
    fired = firing(scrapes, folder)
    return Seen(flags[begin:], {name: minute - begin // SCRAPE * MINUTES for name, minute in fired.items()})


def _streamed(watched: Detector, rows: Float64) -> tuple[Mask, list[str]]:
    """What was flagged (row, machine), warm-up not; and a scrape of /metrics every other minute."""
    settings, stream, names = DriftSettings(), StreamDetector(watched), [f"m{k}" for k in range(MACHINES)]
    span = Span(round(settings.horizon_seconds * 1e6 / settings.panes), settings.panes)
    drift = Drift(span, settings.min_readings, 1)
    flags, scrapes = np.zeros(rows.shape[:2], bool), []
    for begin in range(0, len(rows), SCRAPE):
        block = rows[begin : begin + SCRAPE]
        values, times = block.reshape(-1, FEATURES), np.repeat(np.arange(begin, begin + len(block)), MACHINES) * STEP_US
        seen = stream.observe(Batch(names * len(block), times, values, times))
        flags[begin : begin + len(block)].reshape(-1)[seen.rows] = seen.is_anomaly
        sample = Sample(values, times, seen.error, seen.scores > 1, seen.is_anomaly, times[seen.rows])
        drift.observe(watched, sample, int(times[-1]))
        told = drift_metrics.exposition(
            drift.reports([watched], int(times[-1])),
            settings.horizon_seconds,
            settings.min_readings,
            settings.binned_features_cap,
        )
        scrapes.append(told.decode())
    return flags, scrapes


def firing(scrapes: Sequence[str], folder: Path) -> dict[str, int]:
    """When each alert first fires, in minutes, in that order, by promtool and the rules of `monitoring/`."""
    test = {
        "interval": f"{MINUTES}m",
        "input_series": [{"series": name, "values": values} for name, values in _series(scrapes)],
        "promql_expr_test": [
            {"expr": FIRING, "eval_time": f"{MINUTES * scrape}m", "exp_samples": []} for scrape in range(len(scrapes))
        ],
    }
    rules = [str(ROOT / "monitoring" / f"{kind}_rules.yml") for kind in ("recording", "alert")]
    file = folder / "test.json"
    file.write_text(json.dumps({"rule_files": rules, "evaluation_interval": f"{MINUTES}m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    found = _first(done.stdout + done.stderr)
    if done.returncode and not found:  # it complains, and not of an alert
        raise RuntimeError(f"promtool did not run the rules: {done.stdout}{done.stderr}")
    return found


def _first(told: str) -> dict[str, int]:
    """Expected was that nothing fires: what promtool complains of is what does."""
    found: dict[str, int] = {}
    for time, alerts in re.findall(r"time: (\S+),(.*?)(?=expr: |\Z)", told, re.DOTALL):
        for name in re.findall(r'alertname="(\w+)"', alerts):
            found[name] = min(found.get(name, _minutes(time)), _minutes(time))
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _minutes(duration: str) -> int:
    """Of Prometheus' notation, such as 1h30m."""
    units = {"d": 1440, "h": 60, "m": 1, "s": 0}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)([dhms])", duration))


def _series(scrapes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each series and its values in promtool's notation; a scrape without one is a gap."""
    found: dict[str, list[str]] = {}
    for place, text in enumerate(scrapes):
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found.setdefault(name, ["_"] * len(scrapes))[place] = value
    yield from ((name, " ".join(values)) for name, values in found.items())


def main() -> None:
    """Watch every world, and write the table if the detector is the default one."""
    parser = argparse.ArgumentParser("python -m benchmarks.drift_and_threshold")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
                        help="change a key of the default config; repeatable")  # fmt: skip
    overrides = parser.parse_args().overrides
    watched = trained(ROOT / "var" / "accuracy", overrides)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, world in WORLDS.items():
            rows.append([name, *watch(watched, world, Path(folder)).cells()])
            print(" | ".join(rows[-1]), flush=True)
    head = ["what happens", "flagged of the first 100", "of 1,000", "at the 1,000th", "of the last 200", "alerts"]
    if not overrides:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), "together", table(head, rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
