"""The memory of a large training run: peak of `tidewatch train` on 10 million rows of 8 features.

    python -m benchmarks.large                             # 10,000,000 rows as CSV, then as Parquet
    python -m benchmarks.large --rows 1000000 --forms csv  # less of it

The networks are tiny and see the data once: what is measured is what the stages hold of the data.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

FEATURES = 8
BATCH = 250_000  # rows written at once
SECOND = 1_000_000
TINY = (
    *("training.epochs=1", "training.batch_size=4096", "training.threads=1"),
    *(f"networks.{name}.{key}=2" for name in ("lstm_ae", "gru_ae", "cnn_ae") for key in ("hidden", "latent")),
)


def batches(rows: int, series: int) -> Iterator[pa.Table]:
    """Readings once a second of the series in turn: slow waves in noise, one value in a thousand missing."""
    noise = np.random.default_rng(0)
    for begin in range(0, rows, BATCH):
        number = np.arange(begin, min(begin + BATCH, rows))
        moments, phase = number // series, np.arange(FEATURES)
        values = np.sin(moments[:, None] / (50 + 9 * phase)) + 0.1 * noise.normal(size=(len(number), FEATURES))
        values[noise.random(values.shape) < 0.001] = np.nan
        columns = {"time": pa.array(moments * SECOND, pa.timestamp("us", tz="UTC"))}
        columns |= {"machine": pa.array(np.char.add("m", (number % series).astype(str)))} if series > 1 else {}
        columns |= {f"sensor_{k}": pa.array(values[:, k].round(6), from_pandas=True) for k in phase}
        yield pa.table(columns)


def write(path: Path, rows: int, series: int) -> Path:
    """The readings as a file of the form that its name says."""
    tables = batches(rows, series)
    first = next(tables)
    with (pq.ParquetWriter if path.suffix == ".parquet" else pacsv.CSVWriter)(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
    return path


def peak_of_training(file: Path, folder: Path, settings: tuple[str, ...] = TINY) -> int:
    """Train on a file in a process of its own; the most bytes that it had in memory."""
    changes = [word for setting in settings for word in ("--set", setting)]
    options = ["--data", str(file), "--dataset", "large", "--run-dir", str(folder / "run"), "--no-tracking"]
    command = [sys.executable, "-m", "stream_app", "train", *options, *changes]
    child = os.posix_spawn(sys.executable, command, {**os.environ, "TIDEWATCH_STORE__URL": f"dir:{folder / 'store'}"})
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"training on {file} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss * 1024


def main() -> None:
    """Write the files, train on each, and say the peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--series", type=int, default=1)
    parser.add_argument("--forms", nargs="+", default=["csv", "parquet"], choices=["csv", "parquet"])
    options = parser.parse_args()
    for form in options.forms:
        with tempfile.TemporaryDirectory(prefix="tidewatch-large-") as folder:
            file = write(Path(folder, f"large.{form}"), options.rows, options.series)
            began = time.monotonic()
            peak = peak_of_training(file, Path(folder))
            print(
                f"{form} of {file.stat().st_size / 1e9:.2f} GB, {options.rows:,} rows of {options.series} series: "
                f"at most {peak / 1e9:.2f} GB in memory, {time.monotonic() - began:.0f} s"
            )


if __name__ == "__main__":
    main()
