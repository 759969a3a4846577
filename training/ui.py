"""`tidewatch runs ui`: MLflow's own pages over the tracked runs, where they can be compared."""

from __future__ import annotations

import os
import socket
import sys
from importlib.metadata import PackageNotFoundError, distribution

import click

from schemas.errors import TidewatchError
from training.tracking_access import ENVIRONMENT
from training.tracking_uri import VARIABLE, artifacts_folder, is_server, named, sqlite_file, without_password

HOST, USUAL_PORT = "127.0.0.1", 5000
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONWARNINGS": "ignore"}


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help=f"The port.  [default: {USUAL_PORT}, or else a free one]")
def ui(port: int | None) -> None:
    """Show the tracked runs in MLflow's pages, where they can be compared; until stopped.

    Only this machine can open them. Where MLFLOW_TRACKING_URI names a server, that has pages of its own.

    \b
    Examples:
      tidewatch runs ui
      tidewatch runs ui --port 5001
    """
    uri = named(os.environ)
    if is_server(uri):
        click.echo(f"the server that {VARIABLE} names shows its runs itself: {without_password(uri)}")
        return
    check_installed("mlflow")
    check_tracked(uri)
    port = port if port is not None else free_port(USUAL_PORT)
    click.echo(f"MLflow's pages over {without_password(uri)}: http://{HOST}:{port} in a few seconds; Ctrl-C stops them")
    sys.stdout.flush()
    # MLflow takes the place of this process: what stops this one stops it.
    os.execve(sys.executable, [sys.executable, "-m", "mlflow", *server(uri, port)], os.environ | ENVIRONMENT | QUIET)


def server(uri: str, port: int) -> list[str]:
    """The arguments of `mlflow` for a server of one process, on loopback, that logs what goes wrong alone."""
    where = ["--backend-store-uri", uri, "--registry-store-uri", uri, "--host", HOST, "--port", str(port)]
    folder = artifacts_folder(uri)
    files = ["--artifacts-destination", str(folder)] if folder else []
    return ["server", *where, *files, "--workers", "1", "--uvicorn-opts", "--log-level warning"]


def free_port(usual: int) -> int:
    """The usual port if nothing listens on it, else one that the system picks."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server: connections that ended don't count
        try:
            probe.bind((HOST, usual))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def check_installed(whole: str) -> None:
    """The client alone has no pages."""
    try:
        distribution(whole)
    except PackageNotFoundError:
        raise TidewatchError(
            f"MLflow's pages come with the package {whole}, which is not installed; pip install 'tidewatch[ui]'"
        ) from None


def check_tracked(uri: str) -> None:
    """Without this MLflow would make an empty file."""
    file = sqlite_file(uri)
    if file and not file.exists():
        raise TidewatchError(f"{file} is not there, for no run was tracked yet; see: tidewatch train --help")
