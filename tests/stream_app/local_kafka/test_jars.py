"""Jars: only what the lock names by SHA-256 is ever run, and what is missing is fetched once."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from jgo.env._lockfile import compute_spec_hash
from rich.console import Console

from schemas.errors import TidewatchError
from stream_app.local_kafka.jars import LOCK, Jar, class_path, kafka_version, locked
from stream_app.local_kafka.ports import free_port

CONTENT = b"a jar, for all that matters here"
JAR = Jar("org.example", "pump", "1.2", hashlib.sha256(CONTENT).hexdigest())
SILENT = Console(quiet=True)


class Repository(SimpleHTTPRequestHandler):
    """A Maven repository on loopback: files of a folder."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a Maven repository that jgo is configured to use; it holds the jar."""
    folder = tmp_path / "repository"
    put(folder, CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Repository, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    use_repository(monkeypatch, tmp_path, server.server_port)
    yield folder
    server.shutdown()
    server.server_close()


def use_repository(monkeypatch: pytest.MonkeyPatch, folder: Path, port: int) -> None:
    """Point jgo at a repository on loopback."""
    config = folder / "jgo.conf"
    config.write_text(f"[repositories]\nhere = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(config))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def put(folder: Path, content: bytes) -> Path:
    """Write the jar's file where a Maven repository has it."""
    path = JAR.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_missing_jar_is_fetched_and_then_kept(repository: Path, tmp_path: Path) -> None:
    """The second time needs no repository."""
    [path] = class_path(tmp_path / "cache", SILENT, [JAR])
    assert path.read_bytes() == CONTENT
    shutil.rmtree(repository)
    assert class_path(tmp_path / "cache", SILENT, [JAR]) == [path]


@pytest.mark.parametrize("found", [CONTENT[:7], b"", CONTENT + b"!"], ids=["half", "empty", "altered"])
@pytest.mark.usefixtures("repository")
def test_a_wrong_file_in_the_cache_is_replaced(tmp_path: Path, found: bytes) -> None:
    """A download that was cut short, or a file that someone changed, is never run."""
    put(tmp_path / "cache", found)
    [path] = class_path(tmp_path / "cache", SILENT, [JAR])
    assert path.read_bytes() == CONTENT


def test_a_repository_that_serves_something_else_is_refused(repository: Path, tmp_path: Path) -> None:
    """The error names the jar, and nothing of it stays in the cache."""
    put(repository, b"something else")
    with pytest.raises(TidewatchError, match=r"pump 1\.2 .* SHA-256"):
        class_path(tmp_path / "cache", SILENT, [JAR])
    assert not JAR.path(tmp_path / "cache").exists()


def test_a_jar_that_no_repository_has_is_named(repository: Path, tmp_path: Path) -> None:
    """Not a traceback, but what was looked for and what to do."""
    shutil.rmtree(repository)
    with pytest.raises(TidewatchError, match=r"can not download pump 1\.2"):
        class_path(tmp_path / "cache", SILENT, [JAR])


def test_without_a_network_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is in it: connect once, copy the folder, or use another Kafka."""
    use_repository(monkeypatch, tmp_path, free_port())
    with pytest.raises(TidewatchError, match=r"no connection.*copy '.*cache'.*BOOTSTRAP_SERVERS"):
        class_path(tmp_path / "cache", SILENT, [JAR])


def test_a_cache_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """As when the home folder is a file, or read-only."""
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(TidewatchError, match="XDG_CACHE_HOME"):
        class_path(tmp_path / "cache", SILENT, [JAR])


def test_the_lock_names_every_jar_by_sha256() -> None:
    """Each of the 46 jars has its digest, and no host is named."""
    jars = locked()
    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars) == 46
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
    assert "://" not in LOCK.read_text(encoding="utf-8")


def test_the_lock_is_of_this_specification() -> None:
    """A changed jgo.toml needs a new lock; and the clients are of the broker's version."""
    specification = LOCK.with_name("jgo.toml")
    assert tomllib.loads(LOCK.read_text())["metadata"]["spec_hash"] == compute_spec_hash(specification)
    assert f"kafka_2.13:{kafka_version()}" in specification.read_text()
