"""The Faust app around the engine: the agent, the timers, the web pages, and a process that ends in bounded time."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast

import faust
import torch
from aiokafka.errors import KafkaError

from models.store import open_store
from monitoring.metrics import CONTENT_TYPE_LATEST
from schemas.errors import TidewatchError
from stream_app import transport
from stream_app.connection import client_options
from stream_app.engine import Engine
from stream_app.local_kafka.ports import free_port, is_free
from stream_app.logs import configuration

if TYPE_CHECKING:
    from config.settings import Settings

log = logging.getLogger(__name__)

COMMIT_SECONDS = 1.0
ENDS_SECONDS = 3.0  # so old may be what is told of the lag
STOP_SECONDS = 8.0  # after that by force: a half-stopped worker holds its whole group up
FAILED = 1


class App(faust.App):
    """A Faust app with an engine; whichever of its services fails, the process stops."""

    logger = transport.FAUST

    def __init__(self, engine: Engine) -> None:
        transport.register()
        super().__init__(engine.settings.kafka.group, **faust_settings(engine.settings, engine.options))
        self.engine = engine

    async def look_for_ends(self) -> None:
        """See where the logs end, for the lag."""
        await self.engine.look_for_ends(cast(transport.Consumer, self.consumer).log_ends)

    def _create_directories(self) -> None:
        """None: Faust's are for tables."""

    async def on_shutdown(self) -> None:
        """Stop the engine last: the consumer needs it until it has left its group."""
        await self.engine.stop()
        await super().on_shutdown()

    def _crash(self, reason: BaseException) -> None:
        """Faust says so of any of its services, and would go on half dead."""
        super()._crash(reason)
        self.engine.halt(reason)


class Process(faust.Worker):
    """The process around the app."""

    logger = transport.FAUST
    app: App

    def __init__(self, app: App, *services: Any, **options: Any) -> None:
        # Faust's own command would say "warn", and hide standard error behind a logger.
        ours = {"quiet": True, "loglevel": app.engine.settings.log.level, "redirect_stdouts": False}
        super().__init__(app, *services, **{**options, **ours})
        self.spinner = None

    def execute_from_commandline(self) -> NoReturn:
        """Run until stopped; SystemExit with 0, or 1 if the worker could not start or go on."""
        engine = self.app.engine
        self._setup_logging()
        try:
            self.loop.run_until_complete(engine.start())  # before Faust, whose consumer needs it
        except (TidewatchError, KafkaError) as error:
            log.critical("the worker can not start: %s", error, exc_info=not isinstance(error, TidewatchError))
            raise SystemExit(FAILED) from None
        try:
            super().execute_from_commandline()
        except SystemExit as leaving:
            raise SystemExit(FAILED if engine.failure else leaving.code) from None

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        if not self._signal_stop_time:
            log.info("stopping on %s", signal.name)
            force = threading.Timer(STOP_SECONDS, _leave_by_force)
            force.daemon = True
            force.start()
        super()._schedule_shutdown(signal)

    async def _sentinel_task(self) -> None:
        """Nothing: Faust sleeps a second here, after all is over."""


def _leave_by_force() -> None:
    log.critical("not stopped within %g s: leaving by force, what is in flight will be read again", STOP_SECONDS)
    logging.shutdown()
    os._exit(FAILED)


def build(settings: Settings) -> App:
    """The app, not yet connected. Raises TidewatchError if the settings can not be used on this machine."""
    torch.set_num_threads(settings.worker.threads)
    engine = Engine(settings, client_options(settings.kafka), open_store(settings.store.url))
    app = App(engine)
    topic = app.topic(*settings.kafka.readings_topics, schema=transport.ChunkSchema(), internal=False)

    @app.agent(topic, name="scoring", concurrency=1)
    async def score(stream: Any) -> None:
        async for work in stream.noack():
            engine.assignment.take(work)

    app.timer(settings.state.checkpoint_seconds, name="checkpoint")(engine.checkpoint)
    app.timer(settings.store.poll_seconds, name="releases")(engine.look_for_releases)
    app.timer(ENDS_SECONDS, name="ends")(app.look_for_ends)
    _serve(app)
    _collect_garbage_less_often()
    return app


def _collect_garbage_less_often() -> None:
    """A chunk is thousands of small objects without cycles: looking for cycles among them is time lost."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


def _serve(app: App) -> None:
    """/metrics, /healthz, /readyz."""

    @app.page("/metrics")
    async def metrics(web: Any, request: Any) -> Any:
        text = await app.engine.exposition()
        return web.bytes(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    @app.page("/healthz")
    async def healthz(web: Any, request: Any) -> Any:
        return web.text("stopping\n", status=503) if app.engine.failure else web.text("ok\n")

    @app.page("/readyz")
    async def readyz(web: Any, request: Any) -> Any:
        ready = app.engine.ready
        return web.text("ready\n") if ready else web.text("no partitions with their state loaded\n", status=503)


def faust_settings(settings: Settings, options: Mapping[str, Any]) -> dict[str, Any]:
    """For faust.App; delivery is at least once."""
    kafka, web = settings.kafka, settings.web
    brokers = str(options["bootstrap_servers"]).split(",")
    return {
        "broker": ";".join(f"{transport.SCHEME}://{broker.strip()}" for broker in brokers),
        "broker_commit_interval": COMMIT_SECONDS,
        "broker_session_timeout": kafka.session_timeout_seconds,
        "broker_heartbeat_interval": kafka.heartbeat_seconds,
        "processing_guarantee": "at_least_once",
        "stream_wait_empty": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "autodiscover": False,
        "Worker": Process,
        "worker_redirect_stdouts": False,
        "logging_config": configuration(settings.log.format, settings.log.level),
        "web_bind": web.host,
        "web_host": web.host,
        "web_port": _port(web.host, web.port),
        "web_tables_enabled": False,
        "web_router_enabled": False,
        "web_stats_enabled": False,
        "web_graph_enabled": False,
        "web_metrics_enabled": False,
    }


def _port(host: str, port: int) -> int:
    """The port to listen on, a free one for 0; TidewatchError if it is taken."""
    if port == 0:
        return free_port()
    if not is_free(port):
        raise TidewatchError(f"web.port {port} on {host} is taken; give another with --port, 0 takes a free one")
    return port
