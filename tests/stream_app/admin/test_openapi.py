"""schemathesis asks the service whatever its OpenAPI allows, and what it does not: each answer is as described."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models.store import open_store
from stream_app.admin.api import create
from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
from stream_app.admin.tokens import Tokens
from tests import tiny_release
from tests.stream_app.admin.process import AdminProcess
from tests.stream_app.admin.service import readings, send, settings

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 5  # of each operation, beside those at the edges of what its schema allows
WITH_OPERATOR = b"\n".join(
    line + (b",operator" if not number else b",anna" if line else b"")
    for number, line in enumerate(readings().split(b"\n"))
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with two releases and an upload of 'pumps', which ends each training as soon as it begins."""
    folder = tmp_path_factory.mktemp("openapi")
    for seed in (0, 1):
        tiny_release.publish(open_store(f"dir:{folder / 'store'}"), "pumps", seed, window=4)
    database = Database(folder / "admin" / DATABASE)
    _, text = Tokens(database).create("local")
    database.close()
    caps = dict.fromkeys(("jobs_waiting_cap", "owner_jobs_waiting_cap", "failures_cap"), 10**6)
    with AdminProcess(folder, job_minutes=1e-6, upload_megabytes=1, **caps) as service:
        service.client.headers["Authorization"] = f"Bearer {text}"
        assert send(service.client, "pumps", WITH_OPERATOR).status_code == 202
        yield service


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/datasets/{name}/jobs", "413"),
        ("post", "/datasets/{name}/jobs", "507"),
        ("delete", "/jobs/{job}", "507"),
        ("post", "/predict", "507"),
        ("post", "/releases/{dataset}/rollback", "507"),
        ("post", "/releases/{dataset}/{release}/promote", "507"),
    ],
)
def test_a_full_disk_and_a_large_body_are_documented(tmp_path, method, path, status):
    """Where they can be met, though schemathesis meets neither."""
    assert status in create(settings(tmp_path)).openapi()["paths"][path][method]["responses"]


def test_every_answer_is_as_openapi_says(service, tmp_path):
    """Documented statuses, content types, headers and bodies; what fits is taken, what does not is refused; no 5xx."""
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run"]
    command += [f"{service.client.base_url}/openapi.json", "--continue-on-failure", "--no-shrink"]
    command += ["-H", f"Authorization: {service.client.headers['Authorization']}"]
    command += ["--seed=1", f"--max-examples={EXAMPLES}", "--output-truncate=false"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert service.answers
    assert "Traceback" not in service.log
