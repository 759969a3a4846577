"""The groups of settings: each field has a default that works, a unit in its name and a line of meaning."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode


def _as_list(value: Any) -> Any:
    """A list from the environment or the command line: JSON, or names separated by commas."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [name.strip() for name in value.split(",")]
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        raise ValueError('no JSON list; write ["a", "b"] or a,b') from None


def _network(text: str) -> str:
    """An address, or a network of them; a name is not looked up."""
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}; write an address or a network, such as 192.0.2.7 or 10.0.0.0/8") from None
    return text


Names = Annotated[list[Annotated[str, Field(min_length=1)]], NoDecode, BeforeValidator(_as_list), Field(min_length=1)]
Networks = Annotated[list[Annotated[str, AfterValidator(_network)]], NoDecode, BeforeValidator(_as_list)]
Name = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Group(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class KafkaSettings(Group):
    """The brokers, the topics, and how the worker reads them."""

    bootstrap_servers: Name = "local"
    """Brokers as host:port, separated by commas; `local` is the one that `tidewatch kafka start` runs."""
    group: Name = "tidewatch"
    """The consumer group: workers of one group share the partitions."""
    group_instance_id: str | None = None
    """A stable name for this worker (static membership): a restart within the session timeout moves no partition."""
    readings_topics: Names = ["readings"]
    """The topics that readings come from."""
    anomalies_topic: Name = "anomalies"
    """The topic that flags go to."""
    dead_letter_topic: Name = "readings.dlq"
    """The topic that gets, byte for byte, every record that can not be read."""
    partitions: int = Field(8, ge=1)
    """How many partitions a readings topic gets if it does not exist yet; the other topics follow it."""
    replication_factor: int = Field(1, ge=1)
    """How many brokers keep a copy of a topic that we create."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to speak with the brokers; SSL encrypts, SASL signs in."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """How to sign in when the security protocol is a SASL one."""
    sasl_username: str | None = None
    """The name to sign in with."""
    sasl_password: SecretStr | None = None
    """The password to sign in with."""
    ssl_ca_file: Path | None = None
    """PEM file of the authorities that sign the brokers' certificates; without it, the system's."""
    ssl_certificate_file: Path | None = None
    """PEM file of our own certificate, where brokers ask for one."""
    ssl_key_file: Path | None = None
    """PEM file of our certificate's key."""
    ssl_key_password: SecretStr | None = None
    """The password of the key file, if it has one."""
    session_timeout_seconds: float = Field(10.0, gt=0)
    """A worker silent for so long loses its partitions to the others."""
    heartbeat_seconds: float = Field(3.0, gt=0)
    """How often a worker says that it is alive; at most a third of the session timeout."""
    fetch_wait_milliseconds: int = Field(20, ge=0)
    """How long a broker may wait for more readings before it answers a fetch: latency against load."""
    chunk_records: int = Field(8000, ge=1)
    """At most so many records of a partition are scored at once."""
    max_future_seconds: float = Field(300.0, gt=0)
    """A reading dated further ahead of its own record than this goes to the dead-letter topic."""
    send_timeout_seconds: float = Field(30.0, gt=0)
    """A flag that can not be published for so long stops the worker, so that another takes over."""

    @model_validator(mode="after")
    def _heartbeats_fit_the_session(self) -> Self:
        if self.heartbeat_seconds * 3 > self.session_timeout_seconds:
            raise ValueError(
                f"kafka.heartbeat_seconds {self.heartbeat_seconds:g} is more than a third of"
                f" kafka.session_timeout_seconds {self.session_timeout_seconds:g}; lower the one or raise the other"
            )
        return self

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> Self:
        signs_in = self.security_protocol.startswith("SASL")
        if signs_in and (self.sasl_username is None or self.sasl_password is None):
            raise ValueError(
                f"kafka.security_protocol {self.security_protocol} signs in; set kafka.sasl_username and sasl_password"
            )
        if (self.ssl_certificate_file is None) != (self.ssl_key_file is None):
            raise ValueError("kafka.ssl_certificate_file and kafka.ssl_key_file belong together; set both or neither")
        return self


class StateSettings(Group):
    """Checkpoints: what a new owner of a partition starts from."""

    checkpoint_seconds: float = Field(15.0, gt=0)
    """How often each partition's changed series are written to its state topic."""
    slabs: int = Field(16, ge=1, le=4096)
    """A partition's series are written in so many parts; a part must stay below the brokers' message limit."""
    recovery_timeout_seconds: float = Field(60.0, gt=0, lt=90)
    """Loading a partition's state for longer than this stops the worker."""


class WorkerSettings(Group):
    """How much one worker holds and uses."""

    series_cap: int = Field(200_000, ge=1)
    """At most so many series are kept in memory; the longest silent goes first."""
    detectors_cap: int = Field(32, ge=1)
    """At most so many datasets' detectors are kept loaded; the longest unused goes first."""
    threads: int = Field(1, ge=1)
    """Threads that one scoring may use; scale with workers and partitions first."""


class DriftSettings(Group):
    """What live statistics are taken over, to be held against a release's training data."""

    horizon_seconds: float = Field(1800.0, gt=0)
    """How far back live statistics look, by the records' own time."""
    panes: int = Field(30, ge=2, le=1000)
    """The horizon moves on by so many steps; more take more memory."""
    min_readings: int = Field(100, ge=1)
    """A live figure with fewer readings or windows behind it is not told."""
    binned_features_cap: int = Field(200, ge=0)
    """A dataset with more features than this has no metrics for each bin of their histograms: there would be many."""


class StoreSettings(Group):
    """Where releases live."""

    url: Name = "dir:var/store"
    """The store of releases: `dir:PATH`, relative to the working directory."""
    poll_seconds: float = Field(2.0, gt=0)
    """How often a worker looks for a newly promoted release."""


class WebSettings(Group):
    """The worker's own port: /metrics, /healthz and /readyz."""

    host: Name = "127.0.0.1"
    """The address to listen on; only this machine by default."""
    port: Port = 6066
    """The port to listen on; 0 takes a free one."""


class AdminSettings(Group):
    """The service for uploads and predictions, `tidewatch admin`."""

    host: Name = "127.0.0.1"
    """The address to listen on; only this machine by default, and beyond it only once there is a token."""
    port: Port = 8000
    """The port to listen on; 0 takes a free one."""
    folder: Path = Path("var/admin")
    """Where uploads, the runs of trainings and the database are kept."""
    upload_megabytes: int = Field(512, ge=1)
    """An upload of more bytes than this is refused while it comes; what a gzip unpacks to may be 4 times as much."""
    config: Name = "default"
    """The detector config that uploads are trained with unless they name one: quick, default, or a YAML file."""
    tracked: bool = True
    """Whether MLflow is told of the trainings, as by `tidewatch train`."""
    jobs_at_once: int = Field(1, ge=1)
    """So many trainings run at the same time; the others wait."""
    jobs_waiting_cap: int = Field(100, ge=1)
    """At most so many trainings wait; an upload beyond that is refused."""
    owner_jobs_waiting_cap: int = Field(20, ge=1)
    """At most so many of one owner's trainings wait, so that nobody fills the queue for all."""
    job_memory_megabytes: int = Field(4096, ge=1500)
    """A training that needs more memory than this is ended; Torch alone takes most of the least that is allowed."""
    job_minutes: float = Field(60.0, gt=0)
    """A training that takes longer than this is ended."""
    jobs_kept: int = Field(5, ge=1)
    """Of each dataset the files of so many ended jobs stay on the disk, the newest; releases all stay in the store."""
    free_megabytes: int = Field(500, ge=0)
    """An upload that would leave less room on the disk than this is refused."""
    failures_cap: int = Field(10, ge=1)
    """So many wrong tokens a minute from one address, and its next ones are answered with 429; a right one passes."""
    trusted_proxies: Networks = []
    """The proxies (addresses or networks, such as 10.0.0.0/8) that are believed for whom they ask; by default none."""
    predict_megabytes: int = Field(32, ge=1)
    """A prediction of more bytes than this is refused while it comes."""
    predictions_cap: int = Field(200, ge=1)
    """At most so many predictions come, wait or are worked on; one beyond that is refused until others are answered."""
    predictions_megabytes: int = Field(128, ge=1)
    """The bodies of all these have at most so many together; one that would be too much is refused likewise."""
    workers: Names = ["local"]
    """The workers whose drift the page shows, as http://host:port; `local` is the one of this machine (`web.port`)."""
    predictions_at_once: int = Field(2, ge=1)
    """So many turns of predictions are scored at the same time, each of the rows that wait for a detector."""
    turn_readings: int = Field(2000, ge=1)
    """Short predictions that wait for a detector share a turn of at most so many; with 1 each is scored alone."""


class LogSettings(Group):
    """What the processes say, on standard error."""

    format: Literal["text", "json"] = "text"
    """One line an event, for people (text) or for machines (json)."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious event that is logged."""
