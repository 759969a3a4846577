"""How clients reach Kafka: what the settings become, and what is said of files that can not be used."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from config.settings import KafkaSettings
from schemas.errors import TidewatchError
from stream_app.connection import client_options


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate of its own authority and its key, without and with a password."""
    folder = tmp_path_factory.mktemp("pem")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=us -keyout key -out cert"
    subprocess.run(make.split(), cwd=folder, check=True, capture_output=True)
    lock = "openssl pkcs8 -topk8 -in key -out locked -passout pass:hunter2"
    subprocess.run(lock.split(), cwd=folder, check=True, capture_output=True)
    return folder


def test_a_plain_broker_needs_only_its_address():
    """Nothing of TLS or sign-in is passed where it is not asked for."""
    kafka = KafkaSettings(bootstrap_servers="a:1,b:2")
    assert client_options(kafka) == {"bootstrap_servers": "a:1,b:2", "security_protocol": "PLAINTEXT"}


def test_local_without_a_broker_says_how_to_start_one(tmp_path, monkeypatch):
    """`local` is the broker of this working directory; there is none in an empty one."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TidewatchError, match="tidewatch kafka start"):
        client_options(KafkaSettings())


def test_sign_in_and_encryption_are_passed_on(pem):
    """SASL_SSL with our own certificate: name, password and a context that checks the broker's host name."""
    kafka = KafkaSettings(
        bootstrap_servers="a:1",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="us",
        sasl_password="hunter2",
        ssl_ca_file=pem / "cert",
        ssl_certificate_file=pem / "cert",
        ssl_key_file=pem / "locked",
        ssl_key_password="hunter2",
    )
    options = client_options(kafka)
    context = options.pop("ssl_context")
    assert options == {
        "bootstrap_servers": "a:1",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "us",
        "sasl_plain_password": "hunter2",
    }
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ssl_ca_file": "none"}, "kafka.ssl_ca_file none is no file"),
        ({"ssl_ca_file": "key"}, "kafka.ssl_ca_file key can not be used"),
        ({"ssl_certificate_file": "cert", "ssl_key_file": "none"}, "kafka.ssl_key_file none is no file"),
        ({"ssl_certificate_file": "key", "ssl_key_file": "key"}, "can not be used together"),
        ({"ssl_certificate_file": "cert", "ssl_key_file": "locked"}, "check both and kafka.ssl_key_password"),
    ],
)
def test_a_file_that_can_not_be_used_is_named(pem, monkeypatch, files, said):
    """Missing, of the wrong kind, or locked with another password; nothing asks at the terminal."""
    monkeypatch.chdir(pem)
    with pytest.raises(TidewatchError) as caught:
        client_options(KafkaSettings(bootstrap_servers="a:1", security_protocol="SSL", **files))
    assert said in str(caught.value)
