"""`tidewatch drift`: workers' pages become tables and JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from monitoring.drift import Drift
from monitoring.horizon import Span
from schemas.drift import Report
from stream_app.drift_command import drift
from stream_app.local_kafka.ports import free_port
from tests.monitoring.drifting import NOW, PANE_US, Served, drawn, reference, sample
from tests.monitoring.test_drift_metrics import page, reports

Serve = Callable[[str], str]


class Page(BaseHTTPRequestHandler):
    """/metrics, and nothing else."""

    def __init__(self, text: str, *args: object) -> None:
        self.text = text
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
        pass


@contextmanager
def served(text: str) -> Iterator[str]:
    """The address of a server that has this page."""
    server = HTTPServer(("127.0.0.1", 0), partial(Page, text))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve(plain_environment: None) -> Iterator[Serve]:
    """Makes servers, and ends them."""
    with ExitStack() as stack:
        yield lambda text: stack.enter_context(served(text))


def run(*words: str) -> Result:
    """What the command does."""
    return CliRunner().invoke(drift, words, env={"NO_COLOR": "1", "COLUMNS": "100"})


def test_the_most_drifted_feature_is_the_first(serve: Serve):
    """With a bar that is full at four standard deviations, what its mean is and was, and its PSI."""
    told = run("--url", serve(page(reports(500, shift=2))))
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[0] == "pumps  release r1"
    assert lines[1] == "500 readings and 500 windows of the last 5 minutes"
    first, second = [line.split() for line in lines if line.startswith("f")][1:]
    assert first[0:2] == ["f0", "█" * 5 + "░" * 5]
    assert float(first[2]) == pytest.approx(54, abs=0.5)
    assert float(first[3]) == pytest.approx(50, abs=0.5)
    assert float(first[4]) == pytest.approx(2, abs=0.2)
    assert float(first[-1]) > 1
    assert second[0:2] == ["f1", "░" * 10]


def test_too_few_readings_are_said(serve: Serve):
    """No figure is made up; JSON has null."""
    url = serve(page(reports(20)))
    told = run("--url", url).output
    assert "20 readings and 20 windows of the last 5 minutes (too few: 100 are needed)" in told
    assert "too few" in next(line for line in told.splitlines() if line.startswith("f0"))
    (plain,) = json.loads(run("--url", url, "--json").output)
    assert plain["error_median"]["ref"] > 0
    assert plain["error_median"]["live"] is plain["features"][0]["mean"]["live"] is plain["features"][0]["psi"] is None
    assert plain["features"][0]["values"] <= 20


def test_workers_are_added_up(serve: Serve):
    """An address may leave out what goes without saying."""
    one, other = [serve(page([report])) for report in reports(60, 70)]
    (plain,) = json.loads(run("--url", one.removeprefix("http://"), "--url", f"{other}/metrics", "--json").output)
    assert plain["readings"] == 130
    assert plain["features"][0]["mean"]["live"] is not None


def test_one_dataset_alone(serve: Serve):
    """Or the names of those that there are."""
    fans = Served("fans", "r2", reference())
    url = serve(page([*reports(10), *reports(20, served=fans)]))
    assert [each["dataset"] for each in json.loads(run("--url", url, "--json").output)] == ["fans", "pumps"]
    assert [each["dataset"] for each in json.loads(run("--url", url, "--json", "--dataset", "fans").output)] == ["fans"]
    missing = str(run("--url", url, "--dataset", "mills").exception)
    assert missing.startswith("no reading of dataset 'mills' has come")
    assert missing.endswith("'fans', 'pumps'")


def test_a_worker_that_does_not_answer_is_named(serve: Serve):
    """As is a page that is not a worker's; each with what to do."""
    port = free_port()
    silent = str(run("--url", f"http://127.0.0.1:{port}").exception)
    assert silent.startswith(f"no worker answers at http://127.0.0.1:{port}/metrics: ")
    assert "tidewatch worker" in silent
    elsewhere = serve("") + "/elsewhere"
    assert f"no worker answers at {elsewhere}: Not Found" in str(run("--url", elsewhere).exception)
    strange = serve("up 1\n")
    assert f"what {strange} serves is not the /metrics of a worker" in str(run("--url", strange).exception)
    assert "no worker answers" in str(run("--url", "http://:::/").exception)


def test_a_constant_feature_has_no_deviations_to_move_by(serve: Serve):
    """It has moved as far as can be, or not at all; nothing is divided by 0."""
    constant = Served("pumps", "r1", reference([5.0] * 100, [1e6] * 100))
    told = run("--url", serve(page(reports(200, served=constant)))).output
    assert [line.split()[1:2] for line in told.splitlines() if line.startswith("f0")] == [["█" * 10]]
    still = run("--url", serve(page([standing(np.full((200, 1), 5.0), [5.0] * 100)]))).output
    assert [line.split()[1:2] for line in still.splitlines() if line.startswith("f0")] == [["░" * 10]]


def test_a_sensor_that_is_gone_comes_first(serve: Serve):
    """Of its mean nothing is known, and that is the news."""
    rows = drawn(300, shift=2, missing=0)
    rows[:, 1] = np.nan
    url = serve(page([standing(rows)]))
    lines = [line.split() for line in run("--url", url).output.splitlines() if line.startswith("f")][1:]
    assert [line[:2] for line in lines] == [["f1", "█" * 10], ["f0", "█" * 5 + "░" * 5]]
    assert "100.0%" in lines[0]


def standing(rows: Any, *columns: Any) -> Report:
    """How a release that was trained on these columns stands after these readings."""
    drift, release = Drift(Span(PANE_US, 5), 100, 4), Served("pumps", "r1", reference(*columns))
    drift.observe(release, sample(rows), NOW)
    return drift.reports([release], NOW)[0]
