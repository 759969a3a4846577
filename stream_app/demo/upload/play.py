"""The demo of an upload from beginning to end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status

from stream_app.demo.closing import closing, listed
from stream_app.demo.plant import simulate
from stream_app.demo.play import readings
from stream_app.demo.processes import Background, DemoError
from stream_app.demo.run import ENVIRONMENT, Run
from stream_app.demo.scene import Scene
from stream_app.demo.stream import wait_until_ready
from stream_app.demo.upload.service import Json, Service, accepted
from stream_app.local_kafka.ports import free_port, is_free

USUAL_PORT = 8000
PUMPS, HISTORY, LIVE = 2, 5000, 2000  # rows of each: the upload has 10,000
STREAM_SECONDS = 10
LOOK_SECONDS = 0.5
smaller = partial(simulate, pumps=PUMPS, history_rows=HISTORY, live_rows=LIVE)


def settings(folder: Path) -> dict[str, str]:
    """Those of a service of the demo's own, which no token guards."""
    port = USUAL_PORT if is_free(USUAL_PORT) else free_port()
    return {"admin.folder": str(folder / "admin"), "admin.port": str(port)}


def play(run: Run, data: Path | None, seed: int) -> None:
    """All of it."""
    if not shutil.which("curl"):
        raise DemoError("curl is not installed; on Debian and Ubuntu: sudo apt install curl")
    with run:
        scene = readings(run, data, seed, smaller)
        run.kafka()
        worker = run.worker()
        service = serve(run)
        began = time.monotonic()
        upload(run, scene, service)
        trained = time.monotonic()
        run.step(f'The rest of the file, with "dataset": "{scene.dataset}"')
        board, pace = run.judged(scene, worker, STREAM_SECONDS)
        run.step("What it found")
        run.console.print(closing(board, pace))
        run.console.print(
            f"From the upload to its detector in service: {trained - began:.1f} s, to all readings judged: "
            f"{time.monotonic() - began:.1f} s; nothing was restarted",
            soft_wrap=True,
        )
        stay(run, scene, service, worker)


def serve(run: Run) -> Service:
    """The admin, up to where it is ready."""
    run.step("The admin")
    address = f"http://{run.settings.admin.host}:{run.settings.admin.port}"
    process = run.commands.start(run.folder / "admin.log", "admin")
    with run.console.status("the admin starts"):
        wait_until_ready(process, address)
    run.console.print(f"ready; its page: {address}/")
    return Service(address, process)


def upload(run: Run, scene: Scene, service: Service) -> None:
    """Send the past by curl, and follow its training."""
    run.step("The upload")
    fields = (f"file=@{scene.history}", f"dataset={scene.dataset}", "config=quick")
    words = [word for field in fields for word in ("-F", field)]
    answer = accepted(run.commands.answer("curl", "-sS", *words, f"{service.address}/upload"))
    run.console.print(understood(answer["preview"]), markup=False, soft_wrap=True)
    job = answer["job"]["id"]
    run.console.print(f"its training: {service.address}/page/jobs/{job}", soft_wrap=True)
    with run.console.status("the training starts") as status:
        ended = service.followed(job, Progress(run.console, status).show)
    run.console.print(f"release {ended['release']} serves dataset '{scene.dataset}'", markup=False, soft_wrap=True)


def understood(preview: Json) -> str:
    """A preview in a line."""
    return (
        f"understood: {preview['rows']:,} rows of {preview['series_count']} series and {len(preview['features'])} "
        f"features, one each {preview['interval_seconds']:g} s, {preview['missing_share']:.1%} of the values missing"
    )


class Progress:
    """How a training goes on: each stage as a line, and beside a spinner where it stands."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console, self._status = console, status
        self._began, self._stage = time.monotonic(), None

    def show(self, job: Json) -> None:
        """Tell of a job as it is now."""
        if job["stage"] != self._stage:
            self._stage = job["stage"]
            self._console.print(f"  {time.monotonic() - self._began:5.1f} s  {self._stage}")
        network = "".join(f", {each['network']} epoch {each['epoch']}" for each in job["networks"][-1:])
        self._status.update(f"{job['stage'] or 'starting'}{network}, {job['progress']:.0%} done")


def stay(run: Run, scene: Scene, service: Service, worker: Background) -> None:
    """What to try, and on a terminal the time to do so: until Ctrl-C, with all of it running."""
    run.step("What to try next")
    run.console.print(listed(ideas(run, scene, service)), soft_wrap=True)
    if run.keep:
        run.console.print(f"still running: the admin (process {service.process.pid}), the worker ({worker.pid}), Kafka")
    elif run.console.is_terminal:
        run.console.print(f"[bold]{service.address}/[/] is open, and all of it runs; Ctrl-C ends it")
        try:
            while True:
                worker.check()
                service.process.check()
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return


def ideas(run: Run, scene: Scene, service: Service) -> Iterable[tuple[str, str]]:
    """A command, and what it is good for."""
    here = f". {run.folder / ENVIRONMENT};"
    again = f"--data {scene.live} --dataset {scene.dataset} --rate 200 --shift-to-now"
    yield f"{service.address}/page/datasets/{scene.dataset}", "in a browser: what serves, its drift, rows to try"
    yield f"{here} tidewatch watch --dataset {scene.dataset}", "flags as they come; in another terminal"
    yield f"{here} tidewatch produce {again}", "the same readings once more, as if they were of today; in a third"
    yield f"curl -F file=@YOURS.csv -F dataset=yours {service.address}/upload", "a file of yours"
