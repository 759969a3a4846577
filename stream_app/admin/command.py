"""`tidewatch admin`: the service, until stopped."""

from __future__ import annotations

import click
import uvicorn

from config.options import HELP, assignments
from config.settings import load
from schemas.errors import TidewatchError
from stream_app.admin.access import is_loopback
from stream_app.admin.api import create
from stream_app.admin.parts import Parts
from stream_app.logs import configuration

GRACE_SECONDS = 5  # for answers that are under way when the service is stopped


@click.command()
@click.option("--host", help="The address to listen on; beyond this machine it takes a token.  [admin.host]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.  [admin.port]")
@click.option("--setting", "pairs", multiple=True, metavar="KEY=VALUE", callback=assignments, help=HELP)
def admin(host: str | None, port: int | None, pairs: dict[str, str]) -> None:
    """Take files of readings over HTTP, train on them, and score rows, until stopped.

    What can be asked is in docs/admin.md, and for programs at /openapi.json. It listens on this machine alone and asks
    for no token, until there is one: `tidewatch token create`. Each training is a process of its own. Ends with 0 on
    SIGTERM or Ctrl-C.

    \b
    Examples:
      tidewatch admin
      tidewatch admin --port 8080 --setting admin.jobs_at_once=2
    """
    told = {"admin.host": host, "admin.port": port}
    settings = load({**pairs, **{key: value for key, value in told.items() if value is not None}})
    app = create(settings)
    _check_reach(settings.admin.host, app.state.parts)
    with app.state.parts.alone():
        pass  # it is looked at again at the start, of which uvicorn would tell as of a bug
    uvicorn.run(
        app,
        host=settings.admin.host,
        port=settings.admin.port,
        forwarded_allow_ips=settings.admin.trusted_proxies,  # who may tell another address than their own
        log_config=dict(configuration(settings.log.format, settings.log.level)),
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )


def _check_reach(host: str, parts: Parts) -> None:
    """Beyond this machine, not without a token."""
    if not is_loopback(host) and all(token.revoked for token in parts.access.tokens.all()):
        raise TidewatchError(
            f"admin.host {host} is reached from other machines, and there is no token that is valid; make one with "
            "`tidewatch token create --owner NAME`, or listen on 127.0.0.1"
        )
