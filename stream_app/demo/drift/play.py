"""The demo of drift from beginning to end."""

from __future__ import annotations

import os
import shutil
import time

from stream_app.demo.drift import faster
from stream_app.demo.drift.picture import draw
from stream_app.demo.drift.prometheus import Prometheus
from stream_app.demo.drift.shifted import BEGINS, ENDS, SENSOR, Shifted, shifted
from stream_app.demo.drift.timeline import Timeline
from stream_app.demo.drift.webhook import Webhook, listening
from stream_app.demo.processes import Background, Commands, DemoError
from stream_app.demo.run import Run
from stream_app.local_kafka.ports import free_port

FASTER = 90  # half an hour is 20 seconds
HORIZON_SECONDS = 1800 / FASTER
STREAM_SECONDS = 62
PATIENCE_SECONDS = 30.0  # for what is to be ready, and for alerts to end
LOOK_SECONDS = 0.5
NEEDED = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}  # command, Debian package
SETTINGS = {"drift.horizon_seconds": f"{HORIZON_SECONDS:g}"}


def play(run: Run, seed: int) -> None:
    """All of it."""
    with run:
        install(run.commands)
        scene = readings(run, seed)
        run.kafka()
        run.train(scene.history, scene.dataset)
        worker = run.worker()
        with listening() as webhook:
            prometheus = watchers(run, webhook)
            began = time.time()
            stream(run, scene, worker, Timeline(prometheus, webhook, SENSOR))
            end(run, prometheus, began)


def readings(run: Run, seed: int) -> Shifted:
    """Something to train on, and something to stream."""
    run.step("Readings")
    with run.console.status("simulating a plant"):
        scene = shifted(seed, run.folder)
    run.console.print(
        f"a simulated plant without faults (seed {seed}): five days to train on, and a day to stream, "
        f"{scene.readings:,} readings\nfor a part of it {SENSOR} of all pumps says {scene.shift:.1f} too much",
        soft_wrap=True,
    )
    return scene


def watchers(run: Run, webhook: Webhook) -> Prometheus:
    """Both of them, up to where they answer."""
    run.step(f"Prometheus and Alertmanager, with monitoring/'s files; time runs {FASTER} times faster in them")
    folder = (run.folder / "watchers").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    prometheus, alertmanager = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    faster.write(folder, FASTER, run.address.removeprefix("http://"), alertmanager, webhook.url)
    options = {
        "prometheus-alertmanager": (
            *(f"--config.file={folder / faster.ALERTMANAGER}", f"--web.listen-address={alertmanager}"),
            *(f"--storage.path={folder / 'alertmanager'}", "--cluster.listen-address="),
        ),
        "prometheus": (
            *(f"--config.file={folder / faster.PROMETHEUS}", f"--web.listen-address={prometheus}"),
            *(f"--storage.tsdb.path={folder / 'prometheus'}", "--rules.alert.resend-delay=1s"),
        ),
    }
    running = [run.commands.start_other(run.folder / f"{name}.log", name, *words) for name, words in options.items()]
    wait(Prometheus(prometheus), running)
    run.console.print(f"open http://{prometheus}/alerts while it runs")
    return Prometheus(prometheus)


def stream(run: Run, scene: Shifted, worker: Background, timeline: Timeline) -> None:
    """Send the day, and tell what happens to the alerts."""
    run.step(f"The stream: {SENSOR} shifts after {BEGINS:.0%} of it, and returns after {ENDS:.0%}")
    producer = run.produce(scene.live, scene.dataset, scene.readings, STREAM_SECONDS)
    began = time.monotonic()
    until = began + STREAM_SECONDS + PATIENCE_SECONDS
    while not producer.ended or (timeline.firing and time.monotonic() < until):
        worker.check()
        producer.check(may_end=True)
        seconds = time.monotonic() - began
        for line in timeline.news(seconds):
            run.console.print(f"  {seconds:5.1f} s  {line}", soft_wrap=True, highlight=False, markup=False)
        time.sleep(LOOK_SECONDS)


def end(run: Run, prometheus: Prometheus, began: float) -> None:
    """A picture, and what to try next."""
    run.step("What Prometheus saw")
    picture = run.folder / "drift.png"
    draw(prometheus, began, time.time(), SENSOR, picture)
    run.console.print(f"{picture}: each sensor's mean against training's, and the alerts")
    run.step("What to try next")
    run.console.print("docs/alerts.md: every alert, and what to do about it", "tidewatch drift --help", sep="\n")
    if run.keep:
        run.console.print(f"still running: the worker ({run.address}/metrics), http://{prometheus.address}")


def install(commands: Commands) -> None:
    """See that Prometheus and Alertmanager are there; where Debian's packages are to be had, install them."""
    missing = [package for command, package in NEEDED.items() if not shutil.which(command)]
    if not missing:
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        commands.run_other("apt-get", "install", "--yes", "-qq", "--no-install-recommends", *missing)
    if still := [command for command in NEEDED if not shutil.which(command)]:
        raise DemoError(
            f"{' and '.join(still)} is not installed; on Debian and Ubuntu: sudo apt install {' '.join(missing)}, "
            "elsewhere see https://prometheus.io/download (Alertmanager's command has to be called "
            "prometheus-alertmanager)"
        )


def wait(prometheus: Prometheus, running: list[Background]) -> None:
    """Until it answers. Raises DemoError if one of them ends, or it takes too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not prometheus.ready:
        for each in running:
            each.check()
        if time.monotonic() > until:
            raise DemoError(f"Prometheus does not answer at {prometheus.address} within {PATIENCE_SECONDS:g} s")
        time.sleep(0.1)
