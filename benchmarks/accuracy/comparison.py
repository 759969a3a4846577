"""All detectors on all series of a set, several series at once, and what comes of it together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.accuracy import nab, sets, steps
from benchmarks.accuracy.ablations import ABLATIONS
from benchmarks.accuracy.figures import Figures, figures, rounded, together
from benchmarks.accuracy.judging import NAIVE, OURS, Verdict, bars, naive, ours
from benchmarks.accuracy.sets import SETS
from benchmarks.accuracy.trained import KEPT

Found = TypeVar("Found")


@dataclass(frozen=True)
class Task:
    """One series to be judged; `overrides` change the default config of all that is ours."""

    folder: Path
    set: str
    file: Path
    overrides: tuple[str, ...] = ()
    ablate: bool = False
    kept: Path = KEPT


@dataclass(frozen=True, eq=False)
class Result:
    """What every detector made of a series."""

    set: str
    series: str
    window: int
    figures: Mapping[str, Figures]
    ablations: Mapping[str, Figures]
    nab: Mapping[str, nab.File]
    steps: Mapping[str, tuple[int, int]]


def judge(task: Task) -> Result:
    """Train, stream and measure; one process's work."""
    series = sets.read(task.folder, task.set, task.file)
    labels, buffer = series.labels, SETS[task.set].buffer
    verdicts = (
        ours(series, task.overrides, task.kept) | {NAIVE: naive(series, task.overrides, task.kept)} | bars(series)
    )
    changed = {
        name: ours(series, (*task.overrides, *overrides), task.kept)[OURS]
        for name, overrides in ABLATIONS.items()
        if task.ablate
    }

    def valued(judged: Mapping[str, Verdict]) -> dict[str, Figures]:
        return {name: figures(one.scores, one.flags, labels, buffer) for name, one in judged.items()}

    return Result(
        task.set,
        series.name,
        verdicts[OURS].window,
        valued(verdicts),
        valued(changed),
        {name: nab.File(one.scores / one.thresholds, series.events) for name, one in verdicts.items()},
        steps.held(verdicts[OURS].scores[~labels]),
    )


def results(tasks: Sequence[Task], jobs: int, judge: Callable[[Task], Found]) -> Iterator[Found]:
    """What comes of all tasks, as they are finished."""
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes to come: more threads than free cores are far slower
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from (future.result() for future in as_completed([pool.submit(judge, task) for task in tasks]))


def summary(found: Sequence[Result]) -> dict[str, Any]:
    """The figures of one set: of every detector, together and by series."""
    ordered = sorted(found, key=lambda result: result.series)
    content: dict[str, Any] = {
        "series": len(ordered),
        "means": _together([result.figures for result in ordered]),
        "ablations": _together([result.ablations for result in ordered]),
        "steps_still_flagged": rounded(dict(steps.share([result.steps for result in ordered]))),
    }
    if ordered[0].set == "nab":
        content["nab"] = _nab(ordered)
    return content | {"by_series": {result.series: _by_series(result) for result in ordered}}


def _together(each: Sequence[Mapping[str, Figures]]) -> dict[str, dict[str, float | None]]:
    return {name: rounded(together([own[name] for own in each])) for name in each[0]}


def _nab(ordered: Sequence[Result]) -> dict[str, Any]:
    files = {name: [result.nab[name] for result in ordered] for name in ordered[0].nab}
    scores = {name: nab.profile_scores(own) for name, own in files.items()}
    return {name: {profile: rounded(values) for profile, values in own.items()} for name, own in scores.items()}


def _by_series(result: Result) -> dict[str, Any]:
    return {"window": result.window} | {name: rounded(own.values()) for name, own in result.figures.items()}
