"""Behind a proxy: who may tell another address than their own, and how the page works by another name."""

from __future__ import annotations

import httpx
import pytest

from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
from stream_app.admin.tokens import Tokens
from stream_app.cli import tidewatch
from tests.stream_app.admin.process import AdminProcess
from tests.stream_app.admin.service import problem

PROXY, OTHER = "127.0.0.2", "127.0.0.1"  # two machines, as far as the service can see
# What the proxy of docs/admin.md sends.
SAID = {"Host": "admin.example", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
WRONG = {"Authorization": "Bearer tw_00000000_wrong"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service that believes one proxy, and the text of a token."""
    folder = tmp_path_factory.mktemp("proxies")
    (folder / "admin").mkdir()
    database = Database(folder / "admin" / DATABASE)
    text = Tokens(database).create("anna")[1]
    database.close()
    with AdminProcess(folder, trusted_proxies=PROXY, failures_cap=3) as service:
        yield service, text


@pytest.fixture
def machine(service):
    """A client of the service at an address."""
    opened = []

    def at(address: str) -> httpx.Client:
        way = httpx.HTTPTransport(local_address=address)
        opened.append(httpx.Client(base_url=service[0].client.base_url, transport=way, timeout=60))
        return opened[-1]

    yield at
    for client in opened:
        client.close()


def test_the_page_works_by_its_name_outside(machine, service):
    """Through a proxy on another machine one signs in and changes something, and the cookie travels by TLS alone."""
    proxy, page = machine(PROXY), {**SAID, "Origin": "https://admin.example"}
    signed_in = proxy.post("/session", json={"token": service[1]}, headers=page)
    assert signed_in.status_code == 204, signed_in.text
    cookie = signed_in.headers["set-cookie"]
    assert "Secure" in cookie
    page["Cookie"] = cookie.partition(";")[0]
    page["X-CSRF-Token"] = proxy.get("/session", headers=page).json()["csrf"]
    assert "nothing was uploaded" in problem(proxy.post("/datasets/pumps/jobs", json={}, headers=page), 404)
    other = {**page, "Origin": "https://example.org"}
    assert problem(proxy.post("/datasets/pumps/jobs", json={}, headers=other), 403)


def test_whom_the_setting_does_not_name_is_not_believed(machine, service):
    """Another machine's word on the address is neither counted nor logged; on TLS neither."""
    statuses = [
        machine(OTHER).get("/jobs", headers={**WRONG, "X-Forwarded-For": f"198.51.100.{number}"}).status_code
        for number in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]
    assert f"a wrong token from {OTHER}" in service[0].log
    assert "198.51.100." not in service[0].log
    page = {**SAID, "Origin": "https://admin.example"}
    assert problem(machine(OTHER).post("/session", json={"token": service[1]}, headers=page), 403)


def test_the_proxy_s_last_word_counts(machine, service):
    """Behind the proxy each client is limited by itself, by what the proxy has added and not by what came to it."""
    proxy = machine(PROXY)
    for number in range(4):
        answer = proxy.get("/jobs", headers={**WRONG, "X-Forwarded-For": f"192.0.2.{number}, 203.0.113.5"})
    assert "203.0.113.5" in problem(answer, 429)
    assert problem(proxy.get("/jobs", headers={**WRONG, "X-Forwarded-For": "203.0.113.6"}), 401)
    assert "192.0.2." not in service[0].log


@pytest.mark.usefixtures("plain_environment")
def test_a_proxy_is_an_address(capsys):
    """A name, or everybody, is refused, with what to write."""
    for wrong in ("*", "proxy.example", "10.0.0.1/8"):
        with pytest.raises(SystemExit):
            tidewatch.main(["admin", "--setting", f"admin.trusted_proxies={wrong}"])
        assert "10.0.0.0/8" in capsys.readouterr().err
