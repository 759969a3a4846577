"""What is meant to hurt, to a service in a process of its own: it answers, stays small, and keeps nothing."""

from __future__ import annotations

import gzip
import io
import json
import select
import socket
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.store import open_store
from tests import tiny_release
from tests.stream_app.admin.process import AdminProcess
from tests.stream_app.admin.service import problem, readings, send
from tests.watchers import wait_until

MEGABYTE = 1_000_000
LIMIT_MEGABYTES = 32
GROWTH_BYTES = 200 * MEGABYTE  # of the service's memory at its peak: far less than any of these unpacks to

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service that takes 32 MB, and ends each training as soon as it begins."""
    folder = tmp_path_factory.mktemp("hostile")
    tiny_release.publish(open_store(f"dir:{folder / 'store'}"), "tiny")
    with AdminProcess(folder, upload_megabytes=LIMIT_MEGABYTES, job_minutes=1e-6) as service:
        assert send(service.client, "warm", readings()).status_code == 202  # what is imported late is there by now
        yield service


@pytest.fixture(autouse=True)
def _no_harm(service):
    """After each: nothing half-written, no memory kept, the service alive, and the next upload is taken."""
    kept, before = service.files, service.peak_memory
    yield
    assert service.peak_memory - before < GROWTH_BYTES
    wait_until(lambda: not any("incoming" in file for file in service.files), "what was coming is away", 10)
    uploads = {file for file in service.files if "/uploads/" in file}
    assert uploads == {file for file in kept if "/uploads/" in file}
    assert service.answers
    assert service.client.get("/datasets/refused").status_code == 404


def parquet(table: pa.Table) -> bytes:
    """A Parquet file of it."""
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def a_text_in_each_row() -> bytes:
    """A megabyte of text that is there once, and stands in a hundred thousand rows."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * MEGABYTE]))
    return parquet(pa.table({"a": np.arange(100_000.0), "text": texts}))


def a_long_list() -> bytes:
    """Ten rows, with a hundred thousand zeros in each."""
    lists = pa.ListArray.from_arrays(pa.array(range(0, 1_000_001, 100_000), pa.int32()), np.zeros(1_000_000))
    return parquet(pa.table({"a": np.arange(10.0), "b": lists}))


def many_features() -> bytes:
    """Each row a time and a feature of its own, which would be a table of millions of gaps."""
    return b"time,sensor,value\n" + b"".join(b"%d,f%d,1\n" % (row, row) for row in range(4_000))


BOMBS: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "gzip": (lambda: gzip.compress(b"1,2,3\n" * 1_700_000) * 100, 413, "unpacks to more than 128 MB"),
    "gzip of commas": (lambda: gzip.compress(b"," * 100 * MEGABYTE, 1), 422, "longer than 256 kB"),
    "long form": (many_features, 422, "less than 1% of its table"),
    "a Parquet text": (a_text_in_each_row, 413, "a text of 1,000,000 bytes"),
    "a Parquet list": (a_long_list, 413, "1,000,010 values"),
}


def late_texts(plain: bool) -> bytes:
    """Rows that become large after those which are looked at first: by texts of their own, or by one in each."""
    rows = 25_000
    texts = ["x"] * (rows - 200) + ["y" * MEGABYTE] * 200
    table = pa.table({"flow": np.arange(float(rows)), "temp": np.arange(float(rows)), "text": texts})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=20_000, compression="zstd", use_dictionary=not plain)
    return out.getvalue()


@pytest.mark.parametrize("plain", [True, False])
def test_a_parquet_bomb_is_refused_by_predict_too(service, plain):
    """What comes late in the file counts: nothing is read whole that becomes more than the limit."""
    headers = {"content-type": "application/vnd.apache.parquet"}
    answer = service.client.post("/predict?dataset=tiny", content=late_texts(plain), headers=headers)
    assert "unpacks to more than 128 MB" in problem(answer, 413)


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_does_not_go_off(service, case):
    """What is small and becomes very large is refused before it does."""
    make, status, why = BOMBS[case]
    assert why in problem(send(service.client, "refused", make()), status)


def test_bytes_are_counted_as_they_arrive(service):
    """A gigabyte of commas of which the client says nothing before: the answer comes at the limit, not at the end."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as peer:
        peer.sendall(b"PUT /datasets/refused/data HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk, sent = b"f4240\r\n" + b"," * MEGABYTE + b"\r\n", 0
        while sent < 1000 and not select.select([peer], [], [], 0)[0]:
            peer.sendall(chunk)
            sent += 1
        assert b" 413 " in peer.recv(4096).split(b"\r\n")[0]
    assert sent < 2 * LIMIT_MEGABYTES


@pytest.mark.parametrize("path", ["/session", "/datasets/refused/jobs"])
def test_a_body_that_is_no_file_is_small(service, path):
    """JSON is not taken into memory whole, whoever sends it: these are read before anybody asks who that is."""
    body = json.dumps({"token": "x" * 2 * MEGABYTE})
    assert "larger than" in problem(service.client.post(path, content=body), 413)


def test_json_that_is_deep_is_refused(service):
    """A hundred thousand brackets are no rows."""
    answer = service.client.post("/predict", content=b'{"data":' + b"[" * 100_000)
    assert problem(answer, 422)


def test_a_form_that_breaks_off_leaves_nothing(service):
    """The connection ends in the middle of the file of a form."""
    head = "POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    form = '--b\r\nContent-Disposition: form-data; name="dataset"\r\n\r\nrefused\r\n'
    form += '--b\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n\r\n'
    with socket.create_connection(("127.0.0.1", service.port)) as peer:
        peer.sendall((head + form).encode() + readings())
        wait_until(lambda: any("incoming" in file for file in service.files), "it begins to come", 10)


def test_a_disk_that_is_full_is_told(service):
    """507 with what to do, when a file can not be written to its end; with room again, the next upload is taken."""
    service.limit(MEGABYTE)
    assert "disk is full" in problem(send(service.client, "refused", readings() * 300), 507)
    service.limit(1)  # now not even the database can be written to
    answer = send(service.client, "refused", b"a,b\n1,2\n2,1\n")
    assert "disk is full" in problem(answer, answer.status_code)
    assert answer.status_code in {503, 507}
    assert service.answers
    service.limit(10**12)
    job = service.client.post("/datasets/warm/jobs", json={}).json()["job"]["id"]
    wait_until(lambda: service.client.get(f"/jobs/{job}").json()["state"] == "failed", "jobs go on", 60)
    assert "admin.job_minutes" in service.client.get(f"/jobs/{job}").json()["error"]
