"""From an upload to a release in service, and all that may come between."""

from __future__ import annotations

import json

import pytest

from models.store import open_store
from tests.stream_app.admin.service import SMALL, ended, problem, readings, send, served, settings
from tests.watchers import wait_until

pytestmark = pytest.mark.slow

LARGE = ["window.size=150", "networks.lstm_ae.hidden=1024", "networks.lstm_ae.layers=4", "training.threads=1"]


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Settings of a service that keeps the files of one job of each dataset."""
    return settings(tmp_path_factory.mktemp("jobs"), jobs_kept=1)


@pytest.fixture(scope="module")
def client(chosen):
    """The service."""
    with served(chosen) as client:
        yield client


@pytest.fixture(scope="module")
def told(client):
    """What the events of a training said, from its upload to its end; one row of the file is no good."""
    content = readings().replace(b"00:01:40Z,", b"00:01:40Z,broken")
    job = send(client, "pumps", content, set=list(SMALL)).json()["job"]["id"]
    with client.stream("GET", f"/jobs/{job}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line.startswith("data: ")]


def test_an_upload_ends_as_a_release_in_service(client, chosen, told):
    """No further word is needed: the pipeline runs by itself up to the promotion."""
    job = told[-1]
    assert (job["state"], job["progress"], job["error"]) == ("succeeded", 1.0, None), job["log"]
    champion = open_store(chosen.store.url).champion("pumps")
    assert champion is not None
    assert job["promoted"]
    assert champion.release == job["release"] == client.get("/datasets/pumps").json()["champion"]


def test_the_way_there_can_be_followed(told):
    """Stages, the networks' epochs and losses, a progress that never goes back."""
    assert told[0]["state"] in {"queued", "running"}
    assert "train" in {at["stage"] for at in told}
    network, *closed = told[-1]["networks"]
    assert (network["network"], network["epoch"], network["epochs"]) == ("cnn_ae", 1, 1)
    assert network["loss"] > 0
    assert {other["network"]: other["epochs"] for other in closed} == {"var": 0, "level": 0}
    shares = [at["progress"] for at in told]
    assert shares == sorted(shares)


def test_rows_of_the_whole_file_that_were_left_out_are_told(told):
    """By line, as in the preview."""
    assert [row["line"] for row in told[-1]["rejected"]] == [102]


def test_the_log_shows_no_folder_of_the_service(told, chosen):
    """Its end is there, and where the service keeps its files is its own affair."""
    assert any("Train 1 network" in line for line in told[-1]["log"])
    assert str(chosen.admin.folder) not in "".join(told[-1]["log"])


def test_a_report_reaches_nothing(client, told):
    """The page of the run, under a policy that shuts it off from everything, this service included."""
    answer = client.get(f"/jobs/{told[-1]['id']}/report")
    assert answer.text.startswith("<!doctype html>")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_newest_upload_is_trained_on_again_with_other_options(client, told, chosen):
    """Where the preview was wrong the file need not be sent again; of the older job the files are cleaned away."""
    options = {"ignore": ["temp"], "set": list(SMALL), "promote": False}
    answer = client.post("/datasets/pumps/jobs", json=options)
    assert answer.status_code == 202
    assert [feature["name"] for feature in answer.json()["preview"]["features"]] == ["flow"]
    job = ended(client, answer.json()["job"]["id"])
    assert (job["state"], job["promoted"]) == ("succeeded", False)
    assert client.get("/datasets/pumps").json()["champion"] == told[-1]["release"]
    wait_until(lambda: not client.get(f"/jobs/{told[-1]['id']}").json()["has_report"], "the old files are away", 10)
    assert client.get(f"/jobs/{job['id']}").json()["has_report"]
    assert "cleaned away" in problem(client.get(f"/jobs/{told[-1]['id']}/report"), 404)


def test_jobs_wait_for_their_turn_and_can_be_cancelled(client):
    """One runs, the next waits; who waits goes at once, who runs is ended; over is over."""
    first, second = (send(client, name, readings(3000)).json()["job"]["id"] for name in ("one", "two"))
    wait_until(lambda: client.get(f"/jobs/{first}").json()["stage"] is not None, "the first is at work", 60)
    waiting = client.get(f"/jobs/{second}").json()
    assert (waiting["state"], waiting["waiting"]) == ("queued", 0)
    assert client.delete(f"/jobs/{second}").json()["state"] == "cancelled"
    assert client.delete(f"/jobs/{first}").status_code == 202
    assert ended(client, first, 30)["state"] == "cancelled"
    assert "has ended already" in problem(client.delete(f"/jobs/{first}"), 409)
    states = {job["id"]: job["state"] for job in client.get("/jobs", params={"state": "cancelled"}).json()["jobs"]}
    assert states == {first: "cancelled", second: "cancelled"}


def test_a_training_that_fails_says_why_and_what_to_do(client):
    """The sentence of `tidewatch train`, which speaks of the file by its user's name for it."""
    job = send(client, "short", readings(30), set="window.size=64").json()["job"]["id"]
    error = ended(client, job)["error"]
    assert "window size 64" in error


@pytest.mark.parametrize("megabytes", [1500, 2000])
def test_a_training_lives_with_the_least_memory_that_may_be_set(tmp_path, megabytes):
    """And with more: no library reserves at once what there is."""
    with served(settings(tmp_path, job_memory_megabytes=megabytes)) as client:
        job = send(client, "small", readings(), set=list(SMALL)).json()["job"]["id"]
        told = ended(client, job)
        assert told["state"] == "succeeded", told["log"]


def test_a_training_that_needs_too_much_memory_is_ended(tmp_path):
    """It fails by itself; the service goes on, and says which limit it was."""
    with served(settings(tmp_path, job_memory_megabytes=1500)) as client:
        job = send(client, "big", readings(3000), set=LARGE).json()["job"]["id"]
        assert "admin.job_memory_megabytes" in ended(client, job)["error"]
        assert client.get("/healthz").status_code == 200
