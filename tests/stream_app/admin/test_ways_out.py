"""Errors name the way out as it is sent over HTTP, wherever they come from: no words of the command line."""

from __future__ import annotations

import pytest

from models.store import open_store
from tests import tiny_release
from tests.stream_app.admin.service import SMALL, ended, problem, readings, send, served, settings

BACK = b"\n".join([readings().split(b"\n")[0], *reversed(readings().split(b"\n")[1:-1])])


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service with a release of 'tiny'."""
    chosen = settings(tmp_path_factory.mktemp("ways"))
    tiny_release.publish(open_store(chosen.store.url), "tiny")
    with served(chosen) as client:
        yield client


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (BACK, {}, "name the column that tells series apart with option 'series'"),
        (readings(), {"time": "flow", "series": "flow"}, "named by option 'time' and by option 'series'"),
        (readings(), {"ignore": "nothing"}, "no column 'nothing' (option 'ignore')"),
        (readings(), {"value": "flow"}, "name it with option 'feature'"),
        (readings(), {"resample": "soon"}, "option resample=soon is no interval"),
        (readings(), {"set": "window"}, "for instance option set=window.size=16"),
        (readings(), {"set": "window.size=x"}, "option 'set'"),
    ],
)
def test_an_upload_that_is_refused(client, content, options, says):
    """In the words of the form."""
    detail = problem(send(client, "refused", content, **options), 422)
    assert says in detail
    assert "--" not in detail


def test_a_prediction_that_is_refused(client):
    """In the words of the query."""
    answer = client.post("/predict?dataset=tiny", content=BACK, headers={"content-type": "text/csv"})
    assert "with option 'series'" in problem(answer, 422)
    answer = client.post("/predict?dataset=tiny&value=flow", content=readings(), headers={"content-type": "text/csv"})
    assert "name it with option 'feature'" in problem(answer, 422)


@pytest.mark.slow
def test_a_job_that_fails_or_succeeds(client):
    """What the training's own process says is for who asked for it over HTTP, too: its error, its log."""
    lines = readings().split(b"\n")
    labelled = b"\n".join([lines[0] + b",label", *(line + b",1" for line in lines[1:-1])])
    failed = ended(client, send(client, "failing", labelled).json()["job"]["id"])
    assert "name another column by option 'label', or leave it out by option 'ignore'" in failed["error"]
    assert "--" not in "".join(failed["log"])
    job = ended(client, send(client, "trained", readings(), set=list(SMALL)).json()["job"]["id"])
    assert job["log"][-1] == "next: POST /predict?dataset=trained"
    waiting = ended(client, send(client, "trained", readings(), set=list(SMALL), promote="false").json()["job"]["id"])
    assert waiting["log"][-1] == f"next: POST /releases/trained/{waiting['release']}/promote"
