"""Once there are tokens: who has none is not let in, and owners neither see nor touch what is another's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from models.store import open_store
from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
from stream_app.admin.tokens import Tokens
from tests import tiny_release
from tests.stream_app.admin.service import problem, readings, send, served, settings
from tests.watchers import wait_until


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Settings of a service that ends each training as soon as it begins."""
    return settings(tmp_path_factory.mktemp("owners"), job_minutes=1e-6, failures_cap=3)


@pytest.fixture(scope="module")
def headers(tokens):
    """Headers by who sends them."""
    made = {"anna": tokens.create("anna"), "bert": tokens.create("bert"), "reader": tokens.create("anna", ["read"])}
    return {name: {"Authorization": f"Bearer {text}"} for name, (_, text) in made.items()}


@pytest.fixture(scope="module")
def client(chosen, headers):
    """The service, with a dataset of anna's."""
    with served(chosen) as client:
        send(client, "annas", readings(), headers=headers["anna"])
        yield client


def test_who_has_no_token_is_not_let_in(client):
    """401 with the way in, also for what is not there; health needs none."""
    for path in ("/datasets", "/jobs", "/datasets/annas", "/jobs/x"):
        answer = client.get(path)
        assert "tidewatch token create" in problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert client.get("/healthz").status_code == 200


def test_reading_is_not_operating(client, headers):
    """A token with the scope `read` sees its owner's datasets, and uploads nothing."""
    assert client.get("/datasets/annas", headers=headers["reader"]).status_code == 200
    assert "takes operate" in problem(send(client, "annas", readings(), headers=headers["reader"]), 403)


def test_one_owner_does_not_fill_the_queue(tmp_path):
    """Each has so many trainings that wait, whatever others have: 429 names the setting."""
    chosen = settings(tmp_path, owner_jobs_waiting_cap=1)
    database = Database(chosen.admin.folder / DATABASE)
    anna, bert = ({"Authorization": f"Bearer {Tokens(database).create(name)[1]}"} for name in ("anna", "bert"))
    database.close()
    with served(chosen) as client:
        job = send(client, "runs", readings(), headers=anna).json()["job"]["id"]
        path = f"/jobs/{job}"
        wait_until(lambda: client.get(path, headers=anna).json()["state"] == "running", "it has its turn", 10)
        assert send(client, "waits", readings(), headers=anna).status_code == 202
        refused = send(client, "more", readings(), headers=anna)
        assert "admin.owner_jobs_waiting_cap" in problem(refused, 429)
        assert int(refused.headers["retry-after"]) > 0
        assert send(client, "berts", readings(), headers=bert).status_code == 202


def test_a_name_belongs_to_its_first_owner(client, headers):
    """Another's upload gets 409, by the form and as a body; the owner's own goes on."""
    assert "somebody else's" in problem(send(client, "annas", readings(), headers=headers["bert"]), 409)
    body = client.put("/datasets/annas/data", content=readings(), headers=headers["bert"])
    assert problem(body, 409)
    assert send(client, "annas", readings(), headers=headers["anna"]).status_code == 202


def test_another_s_is_as_if_it_were_not_there(client, headers):
    """Dataset, jobs, report, events: 404 for others, word for word as for what does not exist."""
    job = client.get("/jobs", headers=headers["anna"]).json()["jobs"][0]["id"]
    assert client.get("/jobs", headers=headers["bert"]).json() == {"jobs": []}
    assert client.get("/datasets", headers=headers["bert"]).json() == {"datasets": []}
    hidden = problem(client.get("/datasets/annas", headers=headers["bert"]), 404)
    assert hidden == problem(client.get("/datasets/nobodys", headers=headers["bert"]), 404).replace("nobodys", "annas")
    for path in (f"/jobs/{job}", f"/jobs/{job}/events", f"/jobs/{job}/report"):
        assert problem(client.get(path, headers=headers["bert"]), 404)
    assert problem(client.delete(f"/jobs/{job}", headers=headers["bert"]), 404)
    assert problem(client.post("/datasets/annas/jobs", json={}, headers=headers["bert"]), 409)


def test_another_s_release_neither_scores_nor_moves(client, headers, chosen):
    """Predictions and releases of another's dataset: 404 as if there were none; it serves as before."""
    store = open_store(chosen.store.url)
    first, second = (tiny_release.publish(store, "annas", seed) for seed in (0, 1))
    rows = {"dataset": "annas", "data": [[0.0, 1.0]] * tiny_release.WINDOW}
    csv = {"content-type": "text/csv", **headers["bert"]}
    refused = [
        client.post("/predict", json=rows, headers=headers["bert"]),
        client.post("/predict", json=rows | {"release": first}, headers=headers["bert"]),
        client.post("/predict?dataset=annas", content=readings(20), headers=csv),
        client.get("/releases/annas", headers=headers["bert"]),
        client.get(f"/releases/annas/{first}", headers=headers["bert"]),
        client.post(f"/releases/annas/{first}/promote", headers=headers["bert"]),
        client.post("/releases/annas/rollback", headers=headers["bert"]),
    ]
    for answer in refused:
        assert "there is no dataset 'annas'" in problem(answer, 404)
    assert client.get("/releases", headers=headers["bert"]).json() == {"releases": []}
    assert client.post("/predict", json=rows, headers=headers["anna"]).json()["release"] == second
    assert problem(client.post("/releases/annas/rollback", headers=headers["reader"]), 403)


def test_what_nobody_owns_may_be_read_and_not_moved(client, headers, chosen):
    """A release of the command line's scores for all, and only `local` moves it or uploads to it: 409."""
    tiny_release.publish(open_store(chosen.store.url), "cli")
    rows = {"dataset": "cli", "data": [[0.0, 1.0]] * tiny_release.WINDOW}
    assert client.post("/predict", json=rows, headers=headers["bert"]).status_code == 200
    assert "belongs to 'local'" in problem(client.post("/releases/cli/rollback", headers=headers["bert"]), 409)
    assert "belongs to 'local'" in problem(send(client, "cli", readings(), headers=headers["bert"]), 409)


def test_what_was_refused_is_on_record(client, headers, chosen):
    """Who tried what without being allowed to (403), or where it was somebody else's (409); the path as it was sent."""
    problem(client.put("/datasets/annas/data", content=readings(), headers=headers["bert"]), 409)
    problem(client.put("/datasets/an%0Aas/data", content=readings(), headers=headers["reader"]), 403)
    database = Database(chosen.admin.folder / DATABASE)
    newest, before = database.all("SELECT * FROM audit ORDER BY number DESC LIMIT 2")
    database.close()
    assert (before["owner"], before["action"], before["subject"]) == ("bert", "PUT", "/datasets/annas/data")
    assert before["outcome"].startswith("refused: dataset 'annas' is somebody else's")
    assert (newest["owner"], newest["subject"]) == ("anna", "/datasets/an%0Aas/data")
    assert "takes operate" in newest["outcome"]


def test_what_is_done_is_on_record_with_who_did_it(client, headers, chosen, caplog):
    """A line in the log and a row in the database: owner, token, what, to which dataset; never the token's text."""
    with caplog.at_level(logging.INFO):
        job = send(client, "bergs", readings(), headers=headers["bert"]).json()["job"]["id"]
    assert f"train bergs: job {job}" in caplog.text
    assert headers["bert"]["Authorization"].split()[1] not in caplog.text
    database = Database(chosen.admin.folder / DATABASE)
    row = database.one("SELECT * FROM audit ORDER BY number DESC LIMIT 1")
    database.close()
    assert row is not None
    assert (row["owner"], row["action"], row["subject"], row["outcome"]) == ("bert", "train", "bergs", f"job {job}")


def test_a_revoked_token_is_worthless_within_a_second_or_two(client, tokens):
    """The service need not be started anew; a new token is good at once."""
    made, text = tokens.create("carl")
    mine = {"Authorization": f"Bearer {text}"}
    assert client.get("/jobs", headers=mine).status_code == 200
    tokens.revoke(made.id)
    wait_until(lambda: client.get("/jobs", headers=mine).status_code == 401, "it has forgotten it", 10)


def test_a_stream_ends_with_its_token_or_its_session(tmp_path):
    """Who follows a job that waits is told no more of it once the token is revoked, or they have signed out."""
    chosen = settings(tmp_path)
    database = Database(chosen.admin.folder / DATABASE)
    tokens = Tokens(database)
    made, text = tokens.create("anna")
    mine = {"Authorization": f"Bearer {text}"}
    with served(chosen) as client:
        send(client, "runs", readings(3000), headers=mine)
        job = send(client, "waits", readings(), headers=mine).json()["job"]["id"]
        assert client.post("/session", json={"token": text}).status_code == 204
        csrf = {"X-CSRF-Token": client.get("/session").json()["csrf"]}
        ends = {"session": lambda: client.delete("/session", headers=csrf), "token": lambda: tokens.revoke(made.id)}
        for way, end in ends.items():
            with client.stream("GET", f"/jobs/{job}/events", headers=mine if way == "token" else None) as stream:
                states = [line for line in _ending(stream, end) if line.startswith("data: ")]
            assert states
            assert '"state":"queued"' in states[-1], "it ended before the job did"
    database.close()


def _ending(stream: httpx.Response, end: Callable[[], Any]) -> Iterator[str]:
    """The lines of a stream during which something is ended, as soon as it has begun."""
    lines = stream.iter_lines()
    yield next(lines)
    end()
    yield from lines


def test_who_guesses_is_told_to_wait_and_nobody_else(client, headers, tokens):
    """After three wrong tokens from an address the next are told when to come back; right ones pass all the while."""
    wrong = {"Authorization": "Bearer tw_00000000_wrong"}
    for _ in range(20):
        answer = client.get("/jobs", headers=wrong)
        assert client.get("/jobs", headers=headers["anna"]).status_code == 200
    assert "wrong tokens" in problem(answer, 429)
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert problem(client.post("/session", json={"token": "tw_00000000_wrong"}), 429)
    mine = {"Authorization": f"Bearer {tokens.create('dave')[1]}"}
    wait_until(lambda: client.get("/jobs", headers=mine).status_code == 200, "a new token is known there, too", 10)
