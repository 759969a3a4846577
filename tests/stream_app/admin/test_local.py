"""Without a token the service is this machine's own: not a web page's, not another name's."""

from __future__ import annotations

import pytest

from stream_app.admin.access import is_loopback
from tests.stream_app.admin.service import problem, served, settings


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service without any token."""
    with served(settings(tmp_path_factory.mktemp("local"))) as client:
        yield client


def test_who_is_on_this_machine_is_the_owner_local(client):
    """No token is asked for, and one that is sent can not be right."""
    assert client.get("/datasets").json() == {"datasets": []}
    assert "no token yet" in problem(client.get("/datasets", headers={"Authorization": "Bearer x"}), 401)


def test_another_site_s_page_may_not_ask(client):
    """What a browser says of where a page comes from is believed."""
    assert "may not ask" in problem(client.get("/datasets", headers={"Origin": "https://example.org"}), 403)
    own = f"http://{client.base_url.host}:{client.base_url.port}"
    assert client.get("/datasets", headers={"Origin": own}).status_code == 200


def test_another_name_for_this_address_is_refused(client):
    """A name that someone else's server of names gives for 127.0.0.1 (DNS rebinding) leads nowhere."""
    assert "its own machine" in problem(client.get("/datasets", headers={"Host": "example.org"}), 401)


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Proto": "http"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
)
def test_who_comes_through_a_proxy_is_not_on_this_machine(client, header):
    """Whatever a proxy on this machine says of whom it asks for: 401 with the way in, for the page too."""
    detail = problem(client.get("/datasets", headers=header), 401)
    assert next(iter(header)).lower() in detail
    assert "tidewatch token create" in detail
    assert client.get("/", headers=header).headers["location"] == "/page/sign-in"
    assert "tidewatch token create" in problem(client.post("/session", json={"token": "tw_x"}, headers=header), 401)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("example.org", False),
    ],
)
def test_what_counts_as_this_machine(host, own):
    """The addresses that never leave it, and their name."""
    assert is_loopback(host) is own
