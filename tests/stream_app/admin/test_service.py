"""The frame of the service: it lives, and every error is a problem in one form."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stream_app.cli import tidewatch
from tests.stream_app.admin.service import problem, served, settings


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service with nothing in it."""
    with served(settings(tmp_path_factory.mktemp("service"))) as client:
        yield client


def test_it_lives_and_is_ready(client):
    """Both answer 200 as soon as the service has started."""
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200


def test_an_unknown_path_is_a_problem(client):
    """404, naming the path and where to look."""
    assert "/nowhere" in problem(client.get("/nowhere"), 404)


@pytest.mark.parametrize("folder", ["datasets", "nowhere", "jobs", "releases"])
def test_a_path_that_is_very_long_is_not_repeated_whole(client, folder):
    """An answer is small, whatever was asked."""
    answer = client.get(f"/{folder}/{'a' * 50_000}")
    assert answer.status_code in {404, 422}
    assert len(answer.content) < 1000


def test_a_wrong_method_is_a_problem_that_says_which_are_right(client):
    """405, with the header Allow."""
    answer = client.delete("/healthz")
    assert "header Allow" in problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"
    assert client.put("/upload").headers["allow"] == "POST"
    assert client.delete("/").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/datasets", "/openapi.json", "/datasets/x"])
def test_head_is_get_without_a_body(client, path):
    """Whoever checks health or links learns the status and the headers; the connection goes on."""
    whole, head = client.get(path), client.head(path)
    assert head.status_code == whole.status_code == client.get(path).status_code  # no body was left for the next answer
    assert {**head.headers, "date": "", "content-length": ""} == {**whole.headers, "date": "", "content-length": ""}
    assert client.head("/upload").status_code == 405


def test_openapi_knows_every_schema_that_it_refers_to(client):
    """Each `$ref` leads somewhere, and errors are problems in all of it."""
    text, openapi = client.get("/openapi.json").text, client.get("/openapi.json").json()
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in openapi["components"]["schemas"]
    assert "HTTPValidationError" not in text


@pytest.mark.usefixtures("plain_environment")
def test_a_second_service_on_a_folder_says_who_is_there(tmp_path, capsys):
    """An error in a sentence, and no traceback."""
    chosen = settings(tmp_path)
    with served(chosen), pytest.raises(SystemExit):
        tidewatch.main(["admin", "--port=0", "--setting", f"admin.folder={chosen.admin.folder}"])
    said = capsys.readouterr().err
    assert said.startswith("error: process ")
    assert "already" in said
    assert said.count("\n") == 1


def test_importing_the_app_builds_nothing(tmp_path):
    """`stream_app.admin.api` can be imported anywhere: no folder, no database, until `app` is asked for."""
    code = (
        "import stream_app.admin.api, os; assert not os.listdir('.'); stream_app.admin.api.app; print(os.listdir('.'))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout == "['var']\n"
