"""Which runs may go: a rule on their age and number, against the obvious way to say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from schemas.manifest import Identity
from schemas.run import FORMAT, RunRecord
from schemas.training import TrainingConfig
from training.prune import remove, size, superfluous
from training.runs import Run

NOW = datetime(2026, 8, 29, 12, tzinfo=UTC)


def run(number: int, dataset: str = "pumps", days: float = 0, root: Path = Path("nowhere")) -> Run:
    """One that was begun so many days ago."""
    created = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    identity = Identity(dataset, f"run-{number}", created, "test")
    config = TrainingConfig().model_dump(mode="json")
    record = RunRecord(FORMAT, f"run-{number}", created, "data.csv", {}, config, "dir:store", True, identity)
    return Run(root / f"run-{number}", record)


@given(
    runs=st.lists(st.tuples(st.sampled_from(["pumps", "fans"]), st.integers(0, 9)), max_size=12),
    keep=st.none() | st.integers(0, 4),
    days=st.none() | st.integers(0, 9),
)
def test_what_goes_breaks_every_rule(runs, keep, days):
    """It is older than the age, and there are `keep` newer ones of its dataset."""
    known = [run(number, dataset, age) for number, (dataset, age) in enumerate(sorted(runs, key=lambda one: -one[1]))]
    gone = superfluous(known, NOW, keep, None if days is None else timedelta(days=days))
    for number, one in enumerate(known):
        newer = [each for each in known[number + 1 :] if each.record.identity.dataset == one.record.identity.dataset]
        age = (NOW - datetime.fromisoformat(one.record.created)).days
        assert (one in gone) == ((keep is None or len(newer) >= keep) and (days is None or age > days))
    assert gone == [one for one in known if one in gone]


def test_a_run_in_progress_stays(tmp_path):
    """By any rule, and if it is begun between the looking and the removing."""
    (tmp_path / "run-1").mkdir()
    one = run(1, days=100, root=tmp_path)
    one.save()
    with one.locked():
        assert superfluous([one], NOW, 0, None) == []
        assert not remove(run(1, root=tmp_path))
        assert one.root.exists()
    assert superfluous([one], NOW, 0, None) == [one]
    assert remove(one)
    assert not one.root.exists()


def test_a_link_is_counted_once(tmp_path):
    """What removing would free, however many names it has."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "X").write_bytes(b"x" * 5000)
    (tmp_path / "y").hardlink_to(tmp_path / "deep" / "X")
    assert size(tmp_path) == 5000
