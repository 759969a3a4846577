"""What is documented is what is there: every setting, command and message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import reference as settings
from monitoring import reference as metrics
from schemas import json_schema
from stream_app.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]


@pytest.mark.parametrize("reference", [settings, metrics], ids=["settings", "metrics"])
def test_the_generated_pages_are_up_to_date(reference):
    """docs/settings.md and docs/metrics.md are what `make docs` writes."""
    assert (ROOT / reference.PAGE).read_text() == reference.page()


@pytest.mark.parametrize(("name", "text"), json_schema.documents().items())
def test_the_json_schemas_are_up_to_date(name, text):
    """schemas/json/ is what `make docs` writes."""
    assert (json_schema.FOLDER / name).read_text() == text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    """Nobody should find a command by reading the source."""
    assert f"tidewatch {name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
def test_every_make_target_is_documented(target):
    """In the README or, for those who change the code, in CONTRIBUTING.md."""
    pages = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    assert target == "help" or f"make {target}" in pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    """A relative link in a page is a file or folder that exists."""
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_file_that_the_recipes_name_exists():
    """A recipe that leads to a moved file is worse than none."""
    named = re.findall(r"`((?:models|schemas|config|tests|docs)/[^`\s]+)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []
