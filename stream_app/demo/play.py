"""The demo from beginning to end, in six steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.markup import escape

from stream_app.demo.board import Board
from stream_app.demo.closing import Kept, closing, picture, try_next
from stream_app.demo.plant import Plant, simulate
from stream_app.demo.processes import Background
from stream_app.demo.run import ENVIRONMENT, Run
from stream_app.demo.scene import Scene, from_file, from_plant
from stream_app.demo.summary import Pace

STREAM_SECONDS = 40


def play(run: Run, data: Path | None, seed: int, drawing: Path | None) -> None:
    """All of it; the last page is drawn into `drawing` too."""
    with run:
        scene = readings(run, data, seed, simulate)
        run.kafka()
        run.train(scene.history, scene.dataset)
        worker = run.worker()
        run.step("The stream")
        board, pace = run.judged(scene, worker, STREAM_SECONDS)
        end(run, board, pace, worker)
        if drawing:
            picture(board, pace, drawing)


def readings(run: Run, data: Path | None, seed: int, simulated: Callable[[int], Plant]) -> Scene:
    """Something to train on, and something to stream: of a file, or simulated."""
    run.step("Readings")
    if data is None:
        with run.console.status("simulating a plant"):
            scene = from_plant(simulated(seed), run.folder)
        what = f"a simulated plant, the same for the same seed ({seed}): {len(scene.stretches)} pumps, 8 sensors each"
    else:
        with run.console.status(f"reading {escape(str(data))}"):
            scene = from_file(data, run.folder)
        what = f"{data}: the first 60 % of {len(scene.stretches)} series to train on, the rest to stream"
    truth = f"{len(scene.faults)} fault{'s' * (len(scene.faults) != 1)} in them" if scene.labelled else "no labels"
    history, live = f"  {scene.history}  the past, to train on", f"  {scene.live}     {scene.readings:,} readings"
    run.console.print(what, history, f"{live} to stream, {truth}", sep="\n", soft_wrap=True, markup=False)
    return scene


def end(run: Run, board: Board, pace: Pace, worker: Background) -> None:
    """What it found, and what to try next."""
    run.step("What it found")
    run.console.print(closing(board, pace))
    run.step("What to try next")
    kept = Kept(run.address, worker.pid, run.folder / ENVIRONMENT) if run.keep else None
    run.console.print(try_next(board.scene, run.is_local, kept), soft_wrap=True)
