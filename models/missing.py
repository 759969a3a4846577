"""What stands in for a missing value, over whole arrays; `models.stream` does the same one reading at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fill(
    rows: NDArray[np.float64], segments: NDArray[np.int32], hold_limit: int, default: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rows (row, feature) with each NaN replaced by the feature's last value, or by `default` (feature,).

    A value is held for at most `hold_limit` rows, and only within its stretch: `segments` (row,) tells the unbroken
    stretches apart, rows of one adjacent and in order of time. Only the past is looked at.
    """
    numbers = np.arange(len(rows))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(rows), -1, numbers), axis=0)  # row of the newest value, or -1
    begin = np.flatnonzero(np.diff(segments, prepend=segments[:1] - 1))
    first = np.repeat(begin, np.diff(begin, append=len(rows)))[:, None]  # the row where the stretch begins
    held = (last >= first) & (numbers - last <= hold_limit)
    return np.where(held, np.take_along_axis(rows, np.maximum(last, 0), axis=0), default)
