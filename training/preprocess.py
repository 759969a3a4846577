"""From readings to windows that networks can learn: split, filled, scaled; nothing looks ahead."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from models.scaling import Moments, Scaler
from schemas.errors import TidewatchError
from schemas.training import TrainingConfig
from training import loader, rows
from training.artifacts import Artifacts, write_json
from training.shrinking import SMALLEST
from training.split import FITTING, PARTS, Split, labels_of, parts_of, split
from training.table import Table, load, pieces
from training.wording import option

TRAIN = PARTS.index("train")


class TooLittleData(TidewatchError):
    """The readings do not fill the windows of every part."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """How all rows of all series are to be cut, filled and scaled; `notes` and `warnings` are for the user."""

    split: Split
    scaler: Scaler
    hold_limit: int
    interval_us: int
    gap_us: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def run(artifacts: Artifacts, config: TrainingConfig) -> Prepared:
    """Read what ingestion left; write scaler, cleaned readings, window config, and the arrays of all parts."""
    table = load(artifacts)
    prepared = prepare(table, config)
    write_json(artifacts.scaler, prepared.scaler.to_dict())
    artifacts.scaler_pickle.write_bytes(pickle.dumps(prepared.scaler))
    write_json(artifacts.window, _window_config(table, prepared, config))
    rows.write(artifacts, table, prepared.split, prepared.scaler, prepared.hold_limit)
    for part, windows in prepared.split.windows.items():
        np.save(artifacts.timestamps(loader.FILES[part]), windows)
    starts = {part: windows["first"] for part, windows in prepared.split.windows.items()}
    loader.save(artifacts, starts, config.window.size)
    return prepared


def prepare(table: Table, config: TrainingConfig) -> Prepared:
    """Split by time, and fit the scaler on all before the test part. Raises TooLittleData."""
    _refuse_short(table, config.window.size)
    interval_us = interval_of(table, config)
    gap_us = round(config.gap.factor * interval_us)
    cut = split(table.series, gap_us, config.window, config.split)
    _refuse_empty(table, cut, config)
    moments = fitted_moments(table, cut)
    together = reduce(add, moments)
    return Prepared(
        cut,
        Scaler.fit_moments(together),
        config.missing.hold_limit,
        interval_us,
        gap_us,
        tuple(_notes(table, cut, together, config)),
        tuple(_warnings(table.features, moments)),
    )


def fitted_moments(table: Table, cut: Split) -> list[Moments]:
    """What each series says before the test part, without labelled anomalies: all that is fitted to."""
    found = dict.fromkeys((series.name for series in table.series), Moments.of(np.empty((0, len(table.features)))))
    for piece in pieces(table.series):
        part = piece.taken
        fitted = cut.fitting[piece.place] & ~labels_of(part)
        found[part.name] += Moments.of(part.values[fitted])
    return list(found.values())


def interval_of(table: Table, config: TrainingConfig) -> int:
    """The median time in microseconds between readings of the train part: what comes later must not shape a release."""
    steps = [
        np.diff(series.times[parts_of(labels_of(series), config.window.size, config.split) == TRAIN])
        for series in table.series
    ]
    together = np.concatenate(steps)
    return max(int(np.median(together)), 1) if len(together) else table.interval_us


def _refuse_short(table: Table, size: int) -> None:
    longest = max(table.series, key=lambda series: len(series.times))
    if len(longest.times) < size:
        shorter = ", or lower window.size" if size > SMALLEST else ""
        raise TooLittleData(
            f"window size {size} is longer than the {len(longest.times)} readings of series '{longest.name}'"
            f"{'' if len(table.series) == 1 else ', the longest'}; give at least {size}{shorter}"
        )


def _refuse_empty(table: Table, cut: Split, config: TrainingConfig) -> None:
    """Every part needs a window; the remedy is what a series without pauses would need."""
    empty = [part for part in PARTS if not len(cut.windows[part])]
    if not empty:
        return
    shares, size = config.split, config.window.size
    smallest = min(shares.validation, shares.calibration, 1 - shares.train - shares.validation - shares.calibration)
    usable = {series.name: int((~labels_of(series)).sum()) for series in table.series}
    longest = max(usable, key=usable.__getitem__)
    if not usable[longest]:
        raise TooLittleData(
            f"every reading is labelled an anomaly; name another column by {option('label')}, "
            f"or leave it out by {option('ignore')}"
        )
    fitting = min(int(smallest * usable[longest] / 2), size - 1)
    shorter = f", or shorten the window ({option('set', f'window.size={fitting}')})" if fitting >= SMALLEST else ""
    raise TooLittleData(
        f"no window of {size} rows fits into the {empty[0]} part: series '{longest}' has {usable[longest]} readings "
        f"outside of labelled anomalies{', and no series more' * (len(usable) > 1)}; give at least "
        f"{int(np.ceil(2 * size / smallest))} without a long pause{shorter}"
    )


def _notes(table: Table, cut: Split, fitted: Moments, config: TrainingConfig) -> list[str]:
    notes = []
    short = [series.name for series in table.series if len(series.times) < config.window.size]
    if short:
        notes.append(f"{len(short)} series shorter than a window are not used: {', '.join(short[:5])}")
    if cut.excluded:
        notes.append(f"{cut.excluded:,} windows that hold a labelled anomaly are left out of training and calibration")
    calibrating, enough = len(cut.windows[FITTING]), round(1 / config.threshold.rate)
    if calibrating < enough:
        notes.append(
            f"{calibrating} windows before the test part can not show a flag rate of {config.threshold.rate:.2%}, "
            f"which takes {enough} at the least: the threshold is a guess until it has adapted"
        )
    pauses = int(cut.segments[-1]) + 1 - len(table.series)
    if pauses:
        notes.append(
            f"{pauses} pause{'s' * (pauses > 1)} longer than {config.gap.factor:g} intervals: no window crosses them"
        )
    constant = [name for name, still in zip(table.features, fitted.constant.tolist(), strict=True) if still]
    if constant:
        notes.append(f"constant before the test part: {', '.join(constant)}; any change there will stand out")
    return notes


def _warnings(features: Sequence[str], series: Sequence[Moments]) -> list[str]:
    """Say when one detector for all series will be a poor one: they differ more than each of them varies."""
    between, within = spreads(series)
    apart = [name for name, b, w in zip(features, between, within, strict=True) if b > w]
    if 2 * len(apart) <= len(features):
        return []
    return [
        f"series differ from each other more than each varies by itself, in {len(apart)} of {len(features)} "
        f"features ({', '.join(apart[:4])}{', ...' * (len(apart) > 4)}): one detector will know none of them well; "
        f"train one for each kind of series, each with its own {option('dataset')}"
    ]


def spreads(series: Sequence[Moments]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per feature, the variance of the series' means and the mean of their variances; 0 where nothing is known."""
    absent = np.array([one.known == 0 for one in series])
    means = np.ma.masked_array([one.mean for one in series], absent)
    variances = np.ma.masked_array([one.variance for one in series], absent)
    return means.var(axis=0).filled(0.0), variances.mean(axis=0).filled(0.0)


def _window_config(table: Table, prepared: Prepared, config: TrainingConfig) -> dict[str, object]:
    return {
        "features": list(table.features),
        "size": config.window.size,
        "stride": config.window.stride,
        "hold_limit": prepared.hold_limit,
        "interval_us": prepared.interval_us,
        "gap_us": prepared.gap_us,
        "windows": {part: len(prepared.split.windows[part]) for part in PARTS},
        "fitting_windows": len(prepared.split.windows[FITTING]),
    }
