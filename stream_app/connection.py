"""How a client of ours reaches Kafka: brokers, sign-in and encryption, from the settings."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import TidewatchError

if TYPE_CHECKING:
    from config.settings import KafkaSettings

LOCAL = "local"


class KafkaConnectionError(TidewatchError):
    """The settings name a certificate, a key or an authority that can not be used."""


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes: brokers, protocol, sign-in, TLS context.

    `local` becomes the address of the broker that `tidewatch kafka start` runs. Raises TidewatchError if that is not
    running, or if a file of the TLS settings is missing or wrong.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": bootstrap_servers(kafka),
        "security_protocol": kafka.security_protocol,
    }
    if kafka.security_protocol.startswith("SASL"):
        options |= _sign_in(kafka)
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls(kafka)
    return options


def bootstrap_servers(kafka: KafkaSettings) -> str:
    """Brokers as host:port, separated by commas, with `local` resolved."""
    if kafka.bootstrap_servers != LOCAL:
        return kafka.bootstrap_servers
    from stream_app.local_kafka import address  # only who uses the local broker loads what runs it

    return address()


def _sign_in(kafka: KafkaSettings) -> dict[str, Any]:
    return {
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_username,
        "sasl_plain_password": kafka.sasl_password.get_secret_value() if kafka.sasl_password else None,
    }


def _tls(kafka: KafkaSettings) -> ssl.SSLContext:
    authorities = _existing("kafka.ssl_ca_file", kafka.ssl_ca_file)
    certificate = _existing("kafka.ssl_certificate_file", kafka.ssl_certificate_file)
    key = _existing("kafka.ssl_key_file", kafka.ssl_key_file)
    password = kafka.ssl_key_password.get_secret_value() if kafka.ssl_key_password else ""
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise KafkaConnectionError(f"kafka.ssl_ca_file {authorities} can not be used: {error.strerror}") from None
    if certificate:
        try:  # an empty password, given, keeps OpenSSL from asking for one at the terminal
            context.load_cert_chain(certificate, key, password)
        except OSError as error:
            raise KafkaConnectionError(
                f"kafka.ssl_certificate_file {certificate} and kafka.ssl_key_file {key} can not be used together:"
                f" {error.strerror}; check both and kafka.ssl_key_password"
            ) from None
    return context


def _existing(setting: str, path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise KafkaConnectionError(f"{setting} {path} is no file; relative paths start at the working directory")
    return path
