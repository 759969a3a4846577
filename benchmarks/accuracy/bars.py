"""The simple detectors that ours is held against: each is fitted to train rows and scores the rows that follow.

All are causal, standardise on the train rows and see at most CLIP standard deviations, as our own detector does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.windows import cut

Float64 = NDArray[np.float64]
Bar = Callable[[Float64, Float64], Float64]  # train (n, feature), test (m, feature) -> scores (m,), higher is stranger

CLIP = 10.0
SMOOTHING = 0.1  # of the moving average
WINDOW = 16  # rows
KEPT = 0.9  # share of the variance that the components of the PCA explain
LAGS, RIDGE = 3, 1.0  # of the autoregression; the penalty is in rows
BLOCK = 8192  # windows at once


def ewma(train: Float64, test: Float64) -> Float64:
    """The largest of the features' moving averages of z, by size."""
    _, after = _standardised(train, test, len(train))
    smooth = lfilter([SMOOTHING], [1, SMOOTHING - 1], after, axis=0)
    return np.asarray(np.abs(smooth[len(train) :]).max(axis=1))


def windowed_pca(train: Float64, test: Float64) -> Float64:
    """What the leading components of 16-row windows leave of a window, squared and averaged."""
    before, after = _standardised(train, test, WINDOW - 1)
    windows, mean = _flat(before), _flat(before).mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(windows.T).reshape(windows.shape[1], -1))
    shares = np.cumsum(values[::-1]) / max(values.sum(), 1e-12)
    basis = vectors[:, ::-1][:, : int(np.searchsorted(shares, KEPT)) + 1]
    centred = _flat(after) - mean
    return np.asarray(((centred**2).sum(axis=1) - ((centred @ basis) ** 2).sum(axis=1)) / centred.shape[1])


def ridge_var(train: Float64, test: Float64) -> Float64:
    """How far each row is from what a linear map of the three before it foretells, averaged over 16 rows."""
    before, after = _standardised(train, test, WINDOW - 1 + LAGS)
    past, now = _lagged(before)
    penalty = RIDGE * np.eye(past.shape[1])
    weights = np.linalg.solve(past.T @ past + penalty, past.T @ now)
    past, now = _lagged(after)
    squares = ((now - past @ weights) ** 2).mean(axis=1)
    return np.convolve(squares, np.ones(WINDOW) / WINDOW, mode="valid")


BARS: Mapping[str, Bar] = {"EWMA of z": ewma, "windowed PCA": windowed_pca, "ridge VAR": ridge_var}


def _standardised(train: Float64, test: Float64, history: int) -> tuple[Float64, Float64]:
    """Train rows, and test rows behind the last `history` train rows; missing values are at the mean."""
    mean, scale = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
    scale[scale == 0] = 1
    both = np.nan_to_num((np.concatenate([train, test]) - mean) / scale).clip(-CLIP, CLIP)
    return both[: len(train)], both[len(train) - history :]


def _flat(rows: Float64) -> Float64:
    """All windows of (row, feature), (window, time x feature)."""
    return cut(rows, WINDOW).reshape(-1, WINDOW * rows.shape[1])


def _lagged(rows: Float64) -> tuple[Float64, Float64]:
    """For each row but the first LAGS: a 1 and the rows before it, (n, 1 + lag x feature), and the row itself."""
    past = cut(rows[:-1], LAGS).reshape(-1, LAGS * rows.shape[1])
    return np.column_stack([np.ones(len(past)), past]), rows[LAGS:]
