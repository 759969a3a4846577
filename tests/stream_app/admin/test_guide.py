"""docs/admin.md does what it says: each curl line is run, as it stands there, against a service."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from models.store import open_store
from tests import tiny_release
from tests.stream_app.admin.service import readings, send, served, settings

GUIDE = Path(__file__).parents[3] / "docs" / "admin.md"
LINES = re.findall(r"^    (curl .*)$", GUIDE.read_text(), re.MULTILINE)

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed (Debian: apt install curl)")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service that ends each training as soon as it begins; two releases of 'pumps' are there already."""
    chosen = settings(tmp_path_factory.mktemp("guide"), job_minutes=1e-6)
    store = open_store(chosen.store.url)
    for seed in (0, 1):
        tiny_release.publish(store, "pumps", seed, window=4)
    with served(chosen) as client:
        yield client


def test_the_guide_has_lines_to_run():
    """Uploads in each way, jobs, datasets."""
    assert len(LINES) > 10


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_guide_works(client, tmp_path, line):
    """With the service's own address, and a job that is there; the report of a job that never trained is none yet."""
    (tmp_path / "readings.csv").write_bytes(readings())
    job = send(client, "pumps", readings()).json()["job"]["id"]
    command = line.replace("http://127.0.0.1:8000", str(client.base_url).rstrip("/")).replace("JOB", job)
    newest = client.get("/releases/pumps").json()["releases"][-1]["release"]
    client.post(f"/releases/pumps/{newest}/promote").raise_for_status()
    command = command.replace("RELEASE", newest)
    shown = subprocess.run(
        ["bash", "-c", f"{command} -sS --noproxy '*' --max-time 60 -o /dev/null -w '%{{http_code}}'"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    over = {"404"} if line.endswith("/report") else {"202", "409"} if "DELETE" in line else {"200", "202"}
    assert shown in over
