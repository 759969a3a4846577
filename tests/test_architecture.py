"""The plan of the house, held: directions of imports, whose `models` this is, and what stands at the top."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["schemas", "models", "monitoring", "training", "stream_app", "config"]
FOLDERS = {*PACKAGES, "tests", "benchmarks", "docs", "deploy", "bin", ".ci", ".github"}


def test_imports_keep_their_directions():
    """The contracts of import-linter in pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_a_common_name_is_ours(name):
    """`models`, `config` and the like are common names: the package that is imported must be this repository's."""
    assert Path(str(importlib.import_module(name).__file__)).parent == ROOT / name


def test_the_top_level_is_as_planned():
    """Whatever git tracks lies in a folder that the plan knows."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in tracked.splitlines() if "/" in line} <= FOLDERS


@pytest.mark.parametrize("name", PACKAGES)
def test_the_folders_of_helpers_stay_away(name):
    """A file is named for what it is about; utils, helpers, common and manager are about nothing."""
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [path for path in (ROOT / name).rglob("*") if path.stem in vague] == []
