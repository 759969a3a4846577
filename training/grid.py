"""The grid that readings are put on: how far apart its rows are, and what stands for the readings between two."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self, get_args

from schemas.errors import TidewatchError
from training.times import UNITS, YEAR_10000, spelled
from training.wording import option

By = Literal["last", "mean"]
BYS: tuple[By, ...] = get_args(By)


@dataclass(frozen=True)
class Resampling:
    """The grid, and what stands for the readings of an interval: the last or the mean of each feature."""

    interval_us: int
    by: By = "last"

    @classmethod
    def parse(cls, text: str, by: By = "last") -> Self:
        """Read `5min`, `250 ms`, `1.5h`."""
        found = re.fullmatch(rf"\s*(\d+\.?\d*|\.\d+)\s*({'|'.join(UNITS)})\s*", text)
        interval = float(found[1]) * UNITS[found[2]] if found else 0.0
        if not 1 <= round(min(interval, YEAR_10000)) < YEAR_10000:
            units = ", ".join(UNITS)
            raise TidewatchError(
                f"{option('resample', f'{text!r:.60}')} is no interval; "
                f"give a number above 0 and a unit of {units}, such as 5min"
            )
        return cls(round(interval), by)

    def __str__(self) -> str:
        return f"the {self.by} of each {spelled(self.interval_us)}"
