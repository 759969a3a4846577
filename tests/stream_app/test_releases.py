"""`tidewatch releases`: list, show, promote, roll back."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from models.manifest import MANIFEST, digest
from models.store.local import LocalStore
from stream_app.cli import tidewatch
from tests import tiny_release


@pytest.fixture
def store(tmp_path, monkeypatch, plain_environment) -> LocalStore:
    """An empty store, where the command looks for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("TIDEWATCH_STORE__URL", f"dir:{tmp_path / 'store'}")
    monkeypatch.setenv("COLUMNS", "200")
    return LocalStore(tmp_path / "store")


def releases(*words: str) -> Result:
    """The command, as a user calls it."""
    return CliRunner().invoke(tidewatch, ["releases", *words])


def test_an_empty_store_says_what_to_do(store):
    """Nothing is no error."""
    result = releases("list")
    assert result.exit_code == 0
    assert "there are no releases in dir:" in result.output
    assert "tidewatch train --data FILE" in result.output
    assert "dataset 'pumps' has no releases" in releases("list", "pumps").output


def test_the_list_marks_what_serves(store):
    """Oldest first, with the champion of each dataset marked."""
    first, second = (tiny_release.publish(store, "pumps", seed) for seed in (0, 1))
    third = tiny_release.publish(store, "engines", 2)
    store.promote("pumps", first)
    rows = json.loads(releases("list", "--json").output)
    assert [(row["dataset"], row["release"], row["serves"]) for row in rows] == [
        ("pumps", first, True),
        ("pumps", second, False),
        ("engines", third, True),
    ]
    lines = releases("list", "pumps").output.splitlines()
    assert len(lines) == 3
    assert "serves" in lines[1]
    assert "serves" not in lines[2]


def test_a_broken_release_is_listed_as_such(store):
    """The others are listed beside it."""
    first, second = (tiny_release.publish(store, "pumps", seed) for seed in (0, 1))
    (store.root / "pumps" / first / "scaler.json").write_text("{}")
    rows = {row["release"]: row for row in json.loads(releases("list", "--json").output)}
    assert "scaler.json" in rows[first]["problem"]
    assert rows[second]["features"] == 2
    assert "broken: scaler.json" in releases("list").output


def test_show_tells_what_a_release_is(store):
    """The champion unless a release is named; for people, and for programs."""
    first, second = (tiny_release.publish(store, "pumps", seed) for seed in (0, 1))
    text = releases("show", "pumps").output
    for expected in (f"{second} (serves)", "2: flow, temp", "8 readings", "gru_ae, cnn_ae", "budget, promises 1.00%"):
        assert expected in text
    about = json.loads(releases("show", "pumps", first, "--json").output)
    assert (about["release"], about["serves"]) == (first, False)
    assert about["files"]["gru_ae.pth"] > 0


def test_names_that_look_like_markup_are_shown_as_they_are(store):
    """A feature may be called `[/g]`, and a file on the disk anything."""
    release = tiny_release.publish(store, "pumps", features=("flow", "temp [/g]"))
    assert "2: flow, temp [/g]" in releases("show", "pumps").output
    (store.root / "pumps" / release / "[red].json").write_text("{}")
    result = releases("list")
    assert result.exit_code == 0
    assert "[red].json" in result.output


def test_promote_and_roll_back(store):
    """The pointer moves, and back."""
    first, second = (tiny_release.publish(store, "pumps", seed) for seed in (0, 1))
    assert f"{first} serves dataset 'pumps'; before it served {second}" not in releases("list").output
    assert f"{first} serves dataset 'pumps'" in releases("rollback", "pumps").output
    result = releases("promote", "pumps", second)
    assert f"{second} serves dataset 'pumps'; before it served {first}" in result.output
    champion = json.loads(releases("rollback", "pumps", "--json").output)
    assert champion["release"] == first
    assert store.champion("pumps").release == first


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show", "pumps"], "dataset 'pumps' has no champion; see what there is: tidewatch releases list"),
        (["promote", "pumps", "20260101T000000Z-ffffff"], "has no release 20260101T000000Z-ffffff"),
        (["promote", "pumps", "../x"], "release '../x' is not a name like 20260829T101500Z-3f2a91"),
        (["rollback", "pumps"], "has no earlier champion to go back to"),
    ],
)
def test_a_mistake_is_one_line(store, words, expected):
    """Exit code 1 and one sentence."""
    result = releases(*words)
    assert result.exit_code == 1
    assert expected in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_broken_release_is_not_promoted(store):
    """The champion stays."""
    first, second = (tiny_release.publish(store, "pumps", seed) for seed in (0, 1))
    (store.root / "pumps" / first / "gru_ae.pth").write_bytes(b"")
    for command in ("promote", "show"):
        result = releases(command, "pumps", first)
        assert result.exit_code == 1
        assert f"release {first} of dataset 'pumps': gru_ae.pth is damaged" in result.output
    assert store.champion("pumps").release == second


@pytest.mark.parametrize("content", [b"{}", b"no JSON"])
def test_show_refuses_what_a_worker_would(store, content):
    """A signed release whose statistics can not be read is an error in a line, no traceback."""
    release = tiny_release.publish(store, "pumps")
    folder = store.root / "pumps" / release
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["ensemble_meta.json"] = digest(content)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    (folder / "ensemble_meta.json").write_bytes(content)
    result = releases("show", "pumps")
    assert result.exit_code == 1
    assert f"release {release} of dataset 'pumps': ensemble_meta.json can not be read" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_mlflow_that_is_away_is_said_after_the_fact(store, monkeypatch):
    """The store decides; its mirror comes second."""
    release = tiny_release.publish(store, "pumps", 0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    result = CliRunner(mix_stderr=False).invoke(tidewatch, ["releases", "promote", "pumps", release])
    assert result.exit_code == 0
    assert result.stdout == f"{release} serves dataset 'pumps'\n"
    assert "warning: MLflow at http://127.0.0.1:9 can not be used (Connection refused); its alias" in result.stderr
    champion = store.champion("pumps")
    assert champion is not None
    assert champion.release == release
