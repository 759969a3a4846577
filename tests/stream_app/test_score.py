"""`tidewatch score`: the flags that the worker would publish for what `tidewatch produce` would send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.store.local import LocalStore
from monitoring.metrics import WorkerMetrics, new_registry
from schemas.flag import Flag
from stream_app.batches import Record
from stream_app.cli import tidewatch
from stream_app.file_readings import FileReadings
from stream_app.partition import PartitionState, Rules
from stream_app.progress import Chunk
from stream_app.reload import Releases
from stream_app.turn import score as score_windows
from tests import tiny_release
from tests.sent import messages
from training.ingest import read

ROWS = 150


@dataclass(frozen=True)
class Sent:
    """A message on its topic."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 1_900_000_000_000
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pumps that are not in step, with holes, a pause, a spike, and a column nobody knows."""
    noise = np.random.default_rng(5)
    lines = ["timestamp;machine;flow;temp;extra;anomaly"]
    for row in range(ROWS):
        for pump, offset in (("a", 0.0), ("b", 0.123457)):
            flow, temp = noise.normal(size=2)
            second = row + offset + (60 if row > 80 else 0)
            text = "" if row % 17 == 3 else repr(float(flow + 9 * (row in {60, 130})))
            stamp = f"2026-08-29T10:{int(second) // 60:02d}:{second % 60:09.6f}Z"
            lines.append(f"{stamp};{pump};{text};{float(temp)!r};1;0")
    path = tmp_path_factory.mktemp("score") / "pumps.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def store(tmp_path, monkeypatch, plain_environment) -> LocalStore:
    """A store with a release of 'pumps', where the command looks for it."""
    monkeypatch.setenv("TIDEWATCH_STORE__URL", f"dir:{tmp_path / 'store'}")
    store = LocalStore(tmp_path / "store")
    tiny_release.publish(store, "pumps")
    return store


def score(*options: str) -> Result:
    """The command, as a user calls it."""
    return CliRunner(mix_stderr=False).invoke(tidewatch, ["score", *options])


def worker(file: Path, store: LocalStore, everything: bool, sizes: Iterator[int]) -> list[bytes]:
    """What a worker publishes for the file's readings, in chunks of these sizes."""
    readings = FileReadings(read(file), "pumps")
    records: list[Record] = [Sent(offset, each.key, each.value) for offset, each in enumerate(readings)]
    state = PartitionState(
        Releases(store, 8, WorkerMetrics(new_registry())), Rules("readings", 0, "/test", everything, 300)
    )
    published: list[bytes] = []
    start = 0
    while start < len(records):
        taken = records[start : start + next(sizes)]
        chunk = Chunk(start, start + len(taken), taken, publish=True, settled=True)
        begun = state.cut(chunk, lambda *_: False)
        outcome = state.judge(begun, score_windows([(part.stream.detector, part.cut.windows) for part in begun.parts]))
        assert not outcome.dead_letters
        published += [message.value or b"" for message in messages(outcome.flags)]
        start += len(taken)
    return published


def alike(one: Flag, other: Flag) -> bool:
    """Equal but for what another batch may round otherwise."""
    return (one.id, one.series_id, one.timestamp, one.window_start, one.flag, one.release, one.imputed) == (
        (other.id, other.series_id, other.timestamp, other.window_start, other.flag, other.release, other.imputed)
    ) and abs(one.score - other.score) <= 1e-5 * max(1, abs(other.score))


@pytest.mark.parametrize("everything", [False, True])
def test_it_prints_what_the_worker_publishes(file, store, tmp_path, everything):
    """The same flags in the same order, for the same chunks to the byte."""
    output = tmp_path / "flags.jsonl"
    result = score("--data", str(file), "--dataset", "pumps", "--output", str(output), *["--all"] * everything)
    assert result.exit_code == 0, result.output
    expected = worker(file, store, everything, iter([1000]))
    assert output.read_bytes().splitlines() == expected
    assert len(expected) > (200 if everything else 2)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_the_chunks(file, store, seed):
    """Other chunks round otherwise at most, and give the same flags."""
    sizes = np.random.default_rng(seed).integers(1, 120, size=10_000).tolist()
    whole, cut = (worker(file, store, True, iter(each)) for each in ([1000], sizes))
    assert len(whole) == len(cut)
    decode = msgspec.json.Decoder(Flag).decode
    assert all(alike(decode(one), decode(other)) for one, other in zip(whole, cut, strict=True))


def test_flags_go_to_standard_output_and_the_rest_does_not(file, store):
    """What is printed can be piped into the next program."""
    result = score("--data", str(file), "--dataset", "pumps")
    flags = [json.loads(line) for line in result.stdout.splitlines()]
    assert flags
    assert all(flag["flag"] == 1 and flag["dataset"] == "pumps" for flag in flags)
    assert "column 'extra' is ignored: the detector does not know it" in result.stderr
    assert "300 readings of 2 series" in result.stderr
    assert f"{len(flags)} flagged" in result.stderr
    assert "2 pauses restarted a window" in result.stderr


def test_another_pace_is_told(store, tmp_path):
    """Five readings a second are not what the detector has learnt; on its grid there is nothing to tell."""
    file = tmp_path / "fast.csv"
    rows = "".join(f"{1_700_000_000_000 + 200 * row},{row % 7},{row % 5}\n" for row in range(300))
    file.write_text("timestamp,flow,temp\n" + rows)
    fast = score("--data", str(file), "--dataset", "pumps")
    assert (
        "note: readings come each 200 ms, those that the detector was trained on each 1 s; --resample 1s" in fast.stderr
    )
    assert "300 readings" in fast.stderr
    alike = score("--data", str(file), "--dataset", "pumps", "--resample", "1s")
    assert "note:" not in alike.stderr
    assert "61 readings" in alike.stderr


def test_a_release_can_be_named(file, store):
    """Not only the champion judges."""
    first = store.releases("pumps")[0][1]
    tiny_release.publish(store, "pumps", seed=1)
    champion, named = (
        json.loads(score("--data", str(file), "--dataset", "pumps", "--all", *more).stdout.splitlines()[0])["release"]
        for more in ([], ["--release", first])
    )
    assert (champion, named) == (store.releases("pumps")[1][1], first)


def test_a_feature_the_file_lacks_is_missing(tmp_path, store):
    """It is imputed everywhere, and said."""
    file = tmp_path / "half.csv"
    file.write_text("flow\n" + "0.5\n" * 20)
    result = score("--data", str(file), "--dataset", "pumps", "--all")
    assert "feature 'temp' is missing in every reading" in result.stderr
    assert all(json.loads(line)["imputed"] == ["temp"] for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("flow,temp\n1,2\n", ["--dataset", "engines"], "dataset 'engines' has no release in dir:"),
        ("flow,temp\n1,2\n", ["--dataset", "a/b"], "dataset 'a/b' is not a name"),
        ("a,b\n1,2\n", [], "has none of the features that dataset 'pumps' was trained on (flow, temp); it has a, b"),
        ("flow,temp\n1,x\n1,2\n2,3\n", [], "line 2, column 'temp': 'x' is no number"),
        ("flow,temp\n1,2\n", ["--output", "nowhere/flags"], "nowhere/flags can not be written: No such file"),
        ("flow,temp\n1,2\n", ["--release", "20260101T000000Z-ffffff"], "has no release 20260101T000000Z-ffffff"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, store, content, options, expected):
    """Exit code 1 and one sentence."""
    file = tmp_path / "pumps.csv"
    file.write_text(content)
    given = options if "--dataset" in options else ["--dataset", "pumps", *options]
    result = score("--data", str(file), *given)
    assert result.exit_code == 1
    assert expected in result.stderr
    assert "Traceback" not in result.output


def test_a_broken_release_is_named(file, store):
    """Whose file it is that is damaged, not only which."""
    release = store.champion("pumps").release
    (store.root / "pumps" / release / "gru_ae.pth").write_bytes(b"")
    result = score("--data", str(file), "--dataset", "pumps")
    assert result.exit_code == 1
    assert f"release {release} of dataset 'pumps': gru_ae.pth is damaged" in result.stderr


def test_a_series_shorter_than_a_window_has_no_flags(tmp_path, store):
    """That nothing could be said is said."""
    file = tmp_path / "short.csv"
    file.write_text("flow,temp\n1,2\n2,3\n")
    result = score("--data", str(file), "--dataset", "pumps", "--all")
    assert result.stdout == ""
    assert "0 windows, 0 flagged; 1 series shorter than a window of 8" in result.stderr
