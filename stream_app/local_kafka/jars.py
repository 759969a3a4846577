"""Apache Kafka's jars: fetched through jgo, and trusted only for the SHA-256 that the lock has for each of them."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests  # jgo lets its errors through
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.errors import TidewatchError
from stream_app.local_kafka.turns import turn

LOCK = Path(__file__).with_name("jgo.lock.toml")
TRIES = 3
CONNECTIONS = 4
WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class Jar:
    """One entry of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    def path(self, cache: Path) -> Path:
        """Where it lies in a folder with a Maven repository's layout."""
        folder = cache / self.group.replace(".", "/") / self.artifact / self.version
        return folder / f"{self.artifact}-{self.version}.jar"

    def is_intact(self, cache: Path) -> bool:
        """Whether the file is there and is the very one that was locked."""
        try:
            with self.path(cache).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def locked(lock: Path = LOCK) -> list[Jar]:
    """The jars of the lock file, in its order; a jar without a SHA-256 is a KeyError."""
    entries = tomllib.loads(lock.read_text(encoding="utf-8"))["dependencies"]
    return [Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"]) for entry in entries]


def kafka_version() -> str:
    """The version of Apache Kafka that the lock holds."""
    return next(jar.version for jar in locked() if jar.artifact == "kafka-clients")


def default_cache() -> Path:
    """One folder for all clones of a user: $XDG_CACHE_HOME/tidewatch/kafka, or under ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidewatch" / "kafka"


def class_path(cache: Path, console: Console, jars: list[Jar] | None = None) -> list[Path]:
    """Every jar's file, checked just now; what was missing or altered has been downloaded again."""
    jars = locked() if jars is None else jars
    try:
        with turn(cache / "lock", WAIT_SECONDS):
            if missing := [jar for jar in jars if not jar.is_intact(cache)]:
                _download(missing, cache, console)
    except OSError as error:
        raise TidewatchError(
            f"can not keep Kafka's jars in '{cache}': {error}; set XDG_CACHE_HOME to a folder with 50 MB free"
        ) from error
    return [jar.path(cache) for jar in jars]


def _download(jars: list[Jar], cache: Path, console: Console) -> None:
    with _progress(console, len(jars)) as (progress, task), ThreadPoolExecutor(CONNECTIONS) as pool:
        downloads = [pool.submit(_download_one, jar, cache) for jar in jars]
        try:
            for download in as_completed(downloads):
                download.result()
                progress.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _download_one(jar: Jar, cache: Path) -> None:
    """Replace the jar's file by the repository's, which must be the locked one."""
    for attempt in range(1, TRIES + 1):
        jar.path(cache).unlink(missing_ok=True)  # jgo would keep a half or an altered file
        try:
            _resolve(jar, cache)
            break
        except (requests.RequestException, RuntimeError) as error:  # RuntimeError: no repository has it
            if attempt == TRIES:
                raise TidewatchError(_unreachable(jar, cache, error)) from error
    if not jar.is_intact(cache):
        jar.path(cache).unlink()
        raise TidewatchError(
            f"{jar.artifact} {jar.version} was downloaded, but is not the file that {LOCK.name} names by SHA-256; "
            "it was deleted: look at what stands between you and the Maven repository"
        )


def _resolve(jar: Jar, cache: Path) -> None:
    """Let jgo fetch exactly this file; a mirror in jgo's own configuration is respected."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    repositories: Any = GlobalSettings.load().repositories or None
    maven = MavenContext(repo_cache=cache, remote_repos=repositories)
    maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()


def _unreachable(jar: Jar, cache: Path, error: Exception) -> str:
    reason = "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__
    return (
        f"can not download {jar.artifact} {jar.version} from the Maven repository ({reason}); connect once, or copy "
        f"'{cache}' from a machine that has it, or set TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS to a Kafka of yours"
    )


@contextmanager
def _progress(console: Console, total: int) -> Iterator[tuple[Progress, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress, progress.add_task(f"downloading Apache Kafka {kafka_version()}, once", total=total)
