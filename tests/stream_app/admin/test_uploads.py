"""What is taken in, and what of it was understood; what is refused, and that nothing of it stays."""

from __future__ import annotations

import gzip
import io
import select
import socket
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from stream_app.admin import incoming
from stream_app.admin.audit import Audit
from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
from tests.stream_app.admin.service import problem, readings, send, served, settings
from tests.watchers import wait_until

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the service has its files."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def client(folder):
    """A service that takes a megabyte, and ends each training as soon as it begins: here it is about uploads."""
    with served(settings(folder, upload_megabytes=1, job_minutes=1e-6)) as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_is_left_half_done(client, folder):
    """Whatever was sent: nothing waits to be whole, and the service lives."""
    yield
    wait_until(lambda: list((folder / "admin" / "incoming").iterdir()) == [], "what was coming is away", 10)
    assert client.get("/healthz").status_code == 200


def test_an_upload_is_a_job_and_a_preview(client):
    """202 with the job's Location at once, and what the file was understood as."""
    answer = send(client, "pumps", readings())
    assert answer.status_code == 202
    content = answer.json()
    job, preview = content["job"], content["preview"]
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert client.get(answer.headers["location"]).json()["dataset"] == "pumps"
    assert (preview["time_column"], preview["interval_seconds"], preview["rows"]) == ("time", 1.0, 300)
    assert [feature["name"] for feature in preview["features"]] == ["flow", "temp"]
    assert (preview["series"], preview["rejected"], preview["complete"]) == (["pumps"], [], True)


def packed(form: str) -> bytes:
    """The readings in one of the forms that are read."""
    if form == "parquet":
        out = io.BytesIO()
        pq.write_table(pacsv.read_csv(io.BytesIO(readings())), out)
        return out.getvalue()
    return gzip.compress(readings()) if form == "csv.gz" else readings()


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_a_plain_body_is_an_upload_too(client, form):
    """`curl -T`: what the body is, is told by its bytes; options are in the query."""
    answer = client.put("/datasets/plain/data", content=packed(form), params={"ignore": "temp"})
    assert answer.status_code == 202, answer.text
    preview = answer.json()["preview"]
    assert (preview["format"], preview["rows"]) == (form, 300)
    assert [feature["name"] for feature in preview["features"]] == ["flow"]


def test_options_overrule_what_was_understood(client):
    """A column of numbers becomes the label, another no feature."""
    rows = [f"2026-01-01T00:00:{row:02d}Z,{int(row >= 40)},{row % 7}.5" for row in range(60)]
    answer = send(client, "marked", "\n".join(["time,fault,temp", *rows]).encode(), label="fault")
    preview = answer.json()["preview"]
    assert (preview["label_column"], preview["anomalous_share"]) == ("fault", pytest.approx(1 / 3))
    assert answer.json()["job"]["options"]["label"] == "fault"


def test_rows_that_can_not_be_read_are_told_by_line(client):
    """A word among numbers, a field too many: those lines are left out, the rest is taken."""
    lines = readings().split(b"\n")
    lines[7], lines[20] = lines[7].replace(b"Z,", b"Z,broken"), lines[20] + b",1"
    preview = send(client, "slips", b"\n".join(lines)).json()["preview"]
    assert preview["rows"] == 298
    assert [row["line"] for row in preview["rejected"]] == [8, 21]
    assert "is no number" in preview["rejected"][0]["reason"]


def zipped() -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readings.csv", readings())
    return out.getvalue()


BOMB = gzip.compress(b"2026-01-01T00:00:00Z,1.5,2.5\n" * 200_000)
REFUSED = {
    "nothing": (b"", 422, "is empty"),
    "blanks": (b"\n\n  \n", 422, "is empty"),
    "a header": (b"time,flow,temp\n", 422, "no readings"),
    "words": (b"name,city\nanna,ulm\nbert,bonn\n", 422, "no numeric column"),
    "zip": (zipped(), 415, "zip archive"),
    "zip in gzip": (gzip.compress(zipped()), 415, "zip archive"),
    "a pickle": (b"\x80\x04\x95" + b"x" * 50, 415, "a pickle"),
    "binary": (bytes(range(256)) * 20, 415, "no text"),
    "UTF-16": (readings().decode().encode("utf-16"), 415, "no text"),
    "a bomb": (BOMB, 413, "unpacks to more than 4 MB"),
    "half a gzip": (gzip.compress(readings())[:900], 422, "gzip is broken"),
    "half a Parquet": (b"PAR1" + b"\x00" * 500, 422, "no whole Parquet"),
    "too much": (readings() * 120, 413, "larger than 1 MB"),
    "commas": (b"," * 900_000, 422, "longer than 256 kB"),
    "100,000 columns": (b"a" + b",a" * 99_999 + b"\n" + b"1" + b",1" * 99_999, 413, "100,000 columns"),
    "a column of words": (b"a\n" + b"x\n" * 20, 422, "no numeric column"),
    "a column of times": (readings().replace(b"Z,", b"Z\n"), 422, ""),
    "Latin-1": ("zeit,für\n1,2\n2,3\n".encode("latin-1"), 422, "no UTF-8"),
    "Latin-1 in most rows": (b"a,b\n" + b"1,\xfc\n" * 50, 422, ""),
    "formulas for numbers": (b"a;b\n" + b"=cmd|' /C calc'!A0;=1+1\n" * 50, 422, "no numeric column"),
    "every line other": (b"a,b\n" + b"".join(b"1" + b",1" * (k % 5) + b"\n" for k in range(100)), 422, "readings.csv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_good_is_refused_in_a_sentence(client, folder, case):
    """The status says whose fault it is, the sentence why; no path of the service's; the name stays free."""
    content, status, why = REFUSED[case]
    detail = problem(send(client, "refused", content), status)
    assert why in detail
    assert "/tmp" not in detail
    assert str(folder) not in detail
    assert problem(client.get("/datasets/refused"), 404)


def test_what_is_odd_and_harmless_is_taken(client):
    """One column of numbers; a header that a spreadsheet would run; a byte that is no UTF-8: left out, by line."""
    lines = readings().replace(b"temp", b"=cmd|' /C calc'!A0").split(b"\n")
    lines[5] = lines[5][:-2] + b"\xfc\xff"
    preview = send(client, "odd", b"\xef\xbb\xbf" + b"\n".join(lines)).json()["preview"]
    assert [feature["name"] for feature in preview["features"]] == ["flow", "=cmd|' /C calc'!A0"]
    assert [row["line"] for row in preview["rejected"]] == [6]
    assert send(client, "odd", b"a\n" + b"1\n2\n" * 50).json()["preview"]["rows"] == 100


def test_what_is_told_to_be_too_much_is_refused_unread(client):
    """A gigabyte that is announced is not waited for."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=10) as peer:
        head = f"PUT /datasets/big/data HTTP/1.1\r\nHost: {client.base_url.host}\r\nContent-Length: 1000000000\r\n\r\n"
        peer.sendall(head.encode())
        assert b" 413 " in peer.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", "", "a b", "a" * 101, "é", "x\x00y"])
def test_a_name_that_could_be_a_path_is_refused(client, folder, name):
    """Names are letters, digits, dots, dashes and underscores: nothing is written elsewhere."""
    assert "is not a name" in problem(send(client, name, readings()), 422)
    assert not any(path.name == "x" for path in folder.rglob("*"))


def test_a_file_s_name_is_shown_and_never_opened(client, folder):
    """A name with folders in it is told without them, and is no name on the disk."""
    answer = client.post("/upload", files={"file": ("..\\../../evil.csv", readings())}, data={"dataset": "named"})
    assert answer.json()["job"]["file"] == "evil.csv"
    assert [path.name for path in folder.rglob("*.csv") if "named" in path.parts] == ["named.csv"]


def test_a_form_that_is_none_is_refused(client):
    """No boundary, no file, two datasets, an unknown option, a config that is a path: each is named."""
    assert "multipart" in problem(client.post("/upload", content=b"x"), 415)
    assert "no file" in problem(client.post("/upload", files={"dataset": (None, "a")}), 422)
    two = [("file", ("a.csv", readings())), ("dataset", (None, "a")), ("dataset", (None, "b"))]
    assert "2 parts named 'dataset'" in problem(client.post("/upload", files=two), 422)
    assert "body.tyme" in problem(send(client, "a", readings(), tyme="x"), 422)
    assert "is none of" in problem(send(client, "a", readings(), config="../../base"), 422)
    assert "window.size" in problem(send(client, "a", readings(), set="window.size=-1"), 422)
    path: dict[str, Any] = {"../../x": "y"}
    assert "body.../../x" in problem(send(client, "a", readings(), **path), 422)
    assert "no interval" in problem(send(client, "a", readings(), resample="9" * 400 + "d"), 422)


def test_a_broken_connection_leaves_nothing(client, folder):
    """Half an upload: the name stays free, and what came is away (which the fixture looks at)."""
    address = (client.base_url.host, client.base_url.port or 80)
    head = f"PUT /datasets/half/data HTTP/1.1\r\nHost: {address[0]}\r\nContent-Length: 90000\r\n\r\n".encode()
    incoming = folder / "admin" / "incoming"
    with socket.create_connection(address) as peer:
        peer.sendall(head + readings())
        wait_until(lambda: list(incoming.iterdir()) != [], "it begins to come", 10)
    wait_until(lambda: list(incoming.iterdir()) == [], "it is away", 10)
    assert problem(client.get("/datasets/half"), 404)


def test_the_same_request_twice_is_one_job(client, folder):
    """With an Idempotency-Key, and once on record; another with that key is refused; without one there are two jobs."""
    first, second = (send(client, "once", readings(), headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    database = Database(folder / "admin" / DATABASE)
    assert [row["subject"] for row in Audit(database).newest()].count("once") == 1
    database.close()
    other = send(client, "once", readings(seed=8), headers={"Idempotency-Key": "k1"})
    assert "with another request" in problem(other, 422)
    send(client, "once", readings())
    assert len(client.get("/jobs", params={"dataset": "once"}).json()["jobs"]) == 2


def test_a_training_that_takes_too_long_is_ended(client):
    """The job says which limit it was, and how to mend it."""
    job = send(client, "late", readings()).json()["job"]["id"]
    wait_until(lambda: client.get(f"/jobs/{job}").json()["state"] == "failed", "it is ended", 60)
    assert "admin.job_minutes" in client.get(f"/jobs/{job}").json()["error"]


def test_two_at_once_to_one_name_are_both_whole(client, folder):
    """Four uploads to a new dataset at the same time: four jobs, four whole files."""
    contents = [readings(seed=seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda content: send(client, "crowd", content), contents))
    assert [answer.status_code for answer in answers] == [202] * 4
    uploads = folder / "admin" / "owners" / "local" / "crowd" / "uploads"
    for answer, content in zip(answers, contents, strict=True):
        kept = uploads / answer.json()["job"]["upload"] / "crowd.csv"
        assert not kept.exists() or kept.read_bytes() == content  # the older ones may be cleaned away by now


@pytest.mark.parametrize("name", ["IDLE_SECONDS", "PATIENCE_SECONDS"])
def test_a_client_that_hardly_sends_is_not_waited_for(client, monkeypatch, name):
    """408, when nothing has come for a while, and when too little has."""
    monkeypatch.setattr(incoming, name, 0.2)
    monkeypatch.setattr(incoming, "LEAST_PACE", 1e9)
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=10) as peer:
        head = f"PUT /datasets/slow/data HTTP/1.1\r\nHost: {client.base_url.host}\r\nContent-Length: 90000\r\n\r\n"
        peer.sendall(head.encode() + readings(20))
        if name == "PATIENCE_SECONDS":
            wait_until(lambda: not peer.send(b"1") or select.select([peer], [], [], 0)[0] != [], "it answers", 10)
        assert b" 408 " in peer.recv(4096).split(b"\r\n")[0]


def test_an_upload_that_the_disk_has_no_room_for_is_refused(tmp_path):
    """Before it is read: 507, with what is wanted."""
    with served(settings(tmp_path, free_megabytes=10**9)) as crowded:
        assert "admin.free_megabytes" in problem(send(crowded, "pumps", readings()), 507)


def test_a_queue_that_is_full_takes_no_more(tmp_path):
    """429, with when to come back; what waits goes on waiting."""
    with served(settings(tmp_path, jobs_waiting_cap=1)) as busy:
        job = send(busy, "runs", readings()).json()["job"]["id"]
        wait_until(lambda: busy.get(f"/jobs/{job}").json()["state"] == "running", "it has its turn", 10)
        assert send(busy, "waits", readings()).status_code == 202
        answer = send(busy, "more", readings())
        assert "admin.jobs_waiting_cap" in problem(answer, 429)
        assert int(answer.headers["retry-after"]) > 0
