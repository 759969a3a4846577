"""What all tests have: the fixtures, the order, and `--no-skips`."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest

pytest_plugins = ["tests.kafka_fixture", "tests.browser"]

# No deadline: a busy machine is no bug. In CI the same examples every time, so that a red run can be repeated.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--no-skips`, which CI gives."""
    parser.addoption("--no-skips", action="store_true", help="a test that skips itself fails: CI lacks nothing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first: what is simply broken shows in the first minutes."""
    items.sort(key=lambda item: any(item.iter_markers("kafka")) + 2 * any(item.iter_markers("slow")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under `--no-skips` a skipped test has failed; an expected failure is no skip."""
    report = yield
    return report if hasattr(report, "wasxfail") else _unskipped(report, item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Likewise a whole file that skips itself."""
    return _unskipped((yield), collector.config)


def _unskipped(report: Any, config: pytest.Config) -> Any:
    if report.skipped and config.getoption("no_skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which --no-skips forbids: {report.longrepr[2]}"
    return report


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No TIDEWATCH_* variable of the developer's reaches the test."""
    for name in os.environ:
        if name.upper().startswith("TIDEWATCH_"):
            monkeypatch.delenv(name)
