"""Files of readings that tests write: a random data set, in every form in which people keep one."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.faults import DataError

SECOND = 1_000_000


@contextmanager
def scratch(name: str, content: bytes) -> Iterator[Path]:
    """A file in a folder of its own that goes away: hypothesis calls a test many times, a fixture only once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(content)
        yield file


def wide(readings: pd.DataFrame) -> pd.DataFrame:
    """A row for each reading: time, machine, the features."""
    return readings


def long(readings: pd.DataFrame) -> pd.DataFrame:
    """A row for each value, of one time together; what is missing has none."""
    molten = readings.melt(["time", "machine"], var_name="metric", value_name="value")
    return molten.dropna(subset="value").sort_values(["time", "machine"], kind="stable")


def long_by_feature(readings: pd.DataFrame) -> pd.DataFrame:
    """A row for each value, one feature after the other; what is missing is a row without value."""
    return readings.melt(["time", "machine"], var_name="metric", value_name="value")


def csv(frame: pd.DataFrame) -> bytes:
    """With RFC 3339 times."""
    return (
        frame.assign(time=frame["time"].map(lambda time: f"{time:%Y-%m-%dT%H:%M:%S.%fZ}")).to_csv(index=False).encode()
    )


def epochs(frame: pd.DataFrame) -> bytes:
    """With times in microseconds since 1970."""
    return frame.assign(time=frame["time"].astype("datetime64[us]").astype("int64")).to_csv(index=False).encode()


def semicolons(frame: pd.DataFrame) -> bytes:
    """As a spreadsheet of a country with decimal commas exports it."""
    return frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n").encode()


def zipped(frame: pd.DataFrame) -> bytes:
    """CSV in gzip."""
    return gzip.compress(csv(frame))


def parquet(frame: pd.DataFrame) -> bytes:
    """As pandas writes it, the machine a category."""
    buffer = io.BytesIO()
    frame.assign(machine=frame["machine"].astype("category")).to_parquet(buffer)
    return buffer.getvalue()


SHAPES: tuple[Callable[[pd.DataFrame], pd.DataFrame], ...] = (wide, long, long_by_feature)
FORMATS: tuple[Callable[[pd.DataFrame], bytes], ...] = (csv, epochs, semicolons, zipped, parquet)


def by_series(readings: pd.DataFrame) -> dict[str, tuple[list[int], Any]]:
    """Times and values of each series, as they ought to be read."""
    found = {}
    for name, rows in readings.groupby("machine", sort=False):
        times = rows["time"].astype("datetime64[us]").astype("int64").tolist()
        found[str(name)] = (times, rows.drop(columns=["time", "machine"]).to_numpy(np.float64))
    return found


def check_refused(read: Callable[[], object], expected: str) -> None:
    """Reading ends with one sentence that says what is `expected`, and is in the table of docs/data.md."""
    with pytest.raises(DataError) as caught:
        read()
    message = str(caught.value)
    assert expected in message
    assert "\n" not in message
    assert is_documented(message)


def is_documented(message: str) -> bool:
    """Whether docs/data.md has an error's words in its table, whatever the names and numbers in it."""
    page = Path(__file__).parents[2] / "docs" / "data.md"
    rows = re.findall(r"^\| (`.*?) \| ", page.read_text().split("## Errors")[1], re.MULTILINE)
    phrases = [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row)]
    changing = re.compile(r"'.*?'|\d+|\\-\\-\w+|(?:\\\.){3}")  # names, numbers, options, and what a row leaves out
    return any(re.search(changing.sub(".*", re.escape(phrase)), message) for phrase in phrases)
