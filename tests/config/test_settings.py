"""Settings: which layer wins, where each value came from, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from config.layers import SettingsError, ignored_variables, leaves, variable
from config.settings import FILES, KafkaSettings, Settings, load, load_with_origins

UNITS = ("seconds", "milliseconds", "minutes", "megabytes", "records", "readings", "cap")
COUNTS = {"kafka.partitions", "kafka.replication_factor", "state.slabs", "drift.panes", "worker.threads", "web.port"}
COUNTS |= {"admin.port", "admin.jobs_at_once", "admin.jobs_kept", "admin.predictions_at_once", "admin.tracked"}


@pytest.fixture(autouse=True)
def _plain_environment(plain_environment):
    """No variable of the developer's reaches these tests."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of settings files that say nothing yet."""
    for name in ("base", "local", "staging", "production"):
        (tmp_path / f"{name}.yaml").write_text("{}\n")
    return tmp_path


def test_every_layer_wins_over_the_ones_before(files, monkeypatch):
    """Defaults < base.yaml < overlay < environment < command line, and each value knows its origin."""
    (files / "base.yaml").write_text("kafka: {group: base, partitions: 2, anomalies_topic: base, chunk_records: 5}")
    (files / "staging.yaml").write_text("kafka: {group: overlay, partitions: 3, anomalies_topic: overlay}")
    monkeypatch.setenv("TIDEWATCH_ENVIRONMENT", "staging")
    monkeypatch.setenv("TIDEWATCH_KAFKA__GROUP", "environment")
    monkeypatch.setenv("TIDEWATCH_KAFKA__PARTITIONS", "4")
    loaded = load_with_origins({"kafka.group": "command"}, files)
    kafka = loaded.settings.kafka
    assert (kafka.group, kafka.partitions, kafka.anomalies_topic) == ("command", 4, "overlay")
    assert (kafka.chunk_records, kafka.dead_letter_topic) == (5, "readings.dlq")
    keys = ("group", "partitions", "anomalies_topic", "chunk_records", "dead_letter_topic")
    assert [loaded.origins[f"kafka.{key}"] for key in keys] == [
        "command line",
        "TIDEWATCH_KAFKA__PARTITIONS",
        "staging.yaml",
        "base.yaml",
        "default",
    ]


def test_a_list_is_json_or_names_with_commas(monkeypatch):
    """`["a", "b"]` and `a, b` are the same two topics, from the environment and the command line."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__READINGS_TOPICS", '["a", "b"]')
    assert load().kafka.readings_topics == ["a", "b"]
    assert load({"kafka.readings_topics": "c, d"}).kafka.readings_topics == ["c", "d"]


def test_a_whole_group_may_be_json(monkeypatch):
    """`TIDEWATCH_WEB={"port": 1}` is the group's variable, and the origin of what it sets."""
    monkeypatch.setenv("TIDEWATCH_WEB", '{"port": 1}')
    loaded = load_with_origins()
    assert (loaded.settings.web.port, loaded.origins["web.port"]) == (1, "TIDEWATCH_WEB")


def test_an_empty_variable_is_unset(monkeypatch):
    """Compose files pass empty variables on; they change nothing."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__GROUP", "")
    assert load().kafka.group == "tidewatch"


def test_the_defaults_take_nothing_from_outside(monkeypatch):
    """`Settings()` is the defaults alone, for tests and for what embeds a worker."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__GROUP", "outside")
    assert Settings().kafka.group == "tidewatch"


@pytest.mark.parametrize("overlay", ["local", "staging", "production"])
def test_the_committed_files_load(overlay, monkeypatch):
    """Each overlay gives settings, and secrets are in none of the files."""
    monkeypatch.setenv("TIDEWATCH_ENVIRONMENT", overlay)
    assert load().environment == overlay
    assert "password" not in (FILES / f"{overlay}.yaml").read_text()


def test_base_yaml_says_the_defaults():
    """Base.yaml is there to be read; it may not disagree with the defaults beside the fields."""
    base = yaml.safe_load((FILES / "base.yaml").read_text())
    assert Settings(**base) == Settings()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"kafka.grup": "a"}, "command line: unknown setting 'kafka.grup'; did you mean 'kafka.group'?"),
        ({"web.port": "x"}, "web.port 'x' (from command line): input should be a valid integer"),
        ({"web.port": "70000"}, "web.port '70000' (from command line): input should be less than or equal to 65535"),
        (
            {"kafka.max_future_seconds": "inf"},
            "kafka.max_future_seconds 'inf' (from command line): input should be a fin",
        ),
        ({"publish": "some"}, "publish 'some' (from command line): input should be 'flagged' or 'all'"),
        ({"kafka.readings_topics": "["}, "kafka.readings_topics '[' (from command line): no JSON list; write [\"a\""),
        ({"environment": "prod"}, "environment 'prod' (from command line) is none of local, staging, production"),
        ({"kafka.heartbeat_seconds": "9"}, "kafka.heartbeat_seconds 9 is more than a third of"),
        ({"kafka.security_protocol": "SASL_SSL"}, "set kafka.sasl_username and sasl_password"),
        ({"kafka.ssl_key_file": "k.pem"}, "kafka.ssl_certificate_file and kafka.ssl_key_file belong together"),
    ],
)
def test_a_mistake_on_the_command_line_is_named(setting, said):
    """The sentence has the key, the value, where it was set, and the rule or the nearest known key."""
    with pytest.raises(SettingsError) as caught:
        load(setting)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "TIDEWATCH_KAFKA__GRUP",
            "a",
            "unknown setting 'TIDEWATCH_KAFKA__GRUP'; did you mean 'TIDEWATCH_KAFKA__GROUP'?",
        ),
        ("TIDEWATCH_KAFAK__GROUP", "a", "'TIDEWATCH_KAFAK__GROUP'; did you mean 'TIDEWATCH_KAFKA__GROUP'?"),
        ("TIDEWATCH_KAFKA", '{"grup": 1}', "unknown setting 'TIDEWATCH_KAFKA__GRUP'"),
        ("TIDEWATCH_WEB__PORT", "x", "web.port 'x' (from TIDEWATCH_WEB__PORT): input should be a valid integer"),
        ("TIDEWATCH_ENVIRONMENT", "prod", "environment 'prod' (from TIDEWATCH_ENVIRONMENT) is none of local"),
        ("TIDEWATCH_KAFKA", "{", "TIDEWATCH_KAFKA"),
    ],
)
def test_a_mistake_in_the_environment_is_named(monkeypatch, name, value, said):
    """The sentence has the variable."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka: {grup: a}", "base.yaml: unknown setting 'kafka.grup'; did you mean 'kafka.group'?"),
        ("kafak: {group: a}", "base.yaml: unknown setting 'kafak.group'; did you mean 'kafka.group'?"),
        ("zzz: 1", "base.yaml: unknown setting 'zzz'; `tidewatch config` lists them all"),
        ("kafka: {partitions: many}", "kafka.partitions 'many' (from base.yaml): input should be a valid integer"),
        ("kafka: 3", "base.yaml: unknown setting 'kafka'"),
        ("- a", "base.yaml holds a list"),
        ("kafka: {", "base.yaml is no YAML"),
    ],
)
def test_a_mistake_in_a_file_is_named(files, text, said):
    """The sentence has the file, and the key or the nearest known one."""
    (files / "base.yaml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_with_origins(files=files)
    assert said in str(caught.value)


def test_a_secret_is_in_no_error_and_no_text(monkeypatch):
    """Passwords are neither printed with the settings nor quoted in a complaint about them."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__SASL_PASSWORD", "hunter2")
    assert "hunter2" not in repr(load())
    assert load().kafka.sasl_password == SecretStr("hunter2")
    with pytest.raises(SettingsError) as caught:
        load({"kafka.ssl_key_password": {"of": "hunter2"}})
    assert "hunter2" not in str(caught.value)
    assert "kafka.ssl_key_password" in str(caught.value)


def test_one_underscore_for_two_is_noticed(monkeypatch):
    """Such a variable is no error, since Kubernetes sets the like, but `tidewatch config` names it."""
    monkeypatch.setenv("TIDEWATCH_KAFKA_GROUP", "a")
    monkeypatch.setenv("TIDEWATCH_DATA", "b")
    load()
    assert ignored_variables(Settings) == {"TIDEWATCH_KAFKA_GROUP": "TIDEWATCH_KAFKA__GROUP"}


def test_a_variable_is_the_path_upper_cased():
    """`kafka.bootstrap_servers` is `TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS`."""
    assert variable("kafka.bootstrap_servers") == "TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS"


@pytest.mark.parametrize("key", leaves(Settings))
def test_every_setting_has_a_default_a_meaning_and_a_unit(key):
    """A default that works, a sentence that ends with a full stop, and the unit in the name of what is measured."""
    field = leaves(Settings)[key]
    assert not field.is_required()
    assert field.description, f"{key} has no line of documentation under it"
    assert field.description.rstrip().endswith(".")
    if isinstance(field.default, int | float):
        assert key in COUNTS or key.endswith(UNITS), f"{key} has no unit in its name"


def test_every_group_is_frozen():
    """Settings are read once and handed down: nothing changes them on the way."""
    groups = [field.annotation for field in Settings.model_fields.values()]
    kinds: list[type[BaseModel]] = [kind for kind in groups if isinstance(kind, type) and issubclass(kind, BaseModel)]
    assert KafkaSettings in kinds
    assert Settings.model_config["frozen"]
    assert all(kind.model_config["frozen"] for kind in kinds)
