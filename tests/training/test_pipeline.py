"""`tidewatch train`, whole: from a file to a release that serves, in seconds."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from click.testing import CliRunner, Result

from models import bundle
from models.store.local import LocalStore
from stream_app.cli import tidewatch
from tests.training.conftest import RELEASE, TINY, Trained, train_on, write_plant
from training import candidate
from training.times import spelled

TREE = """
DataProcessing/data_transform/cleaned_df.parquet
DataProcessing/dataset/ingestion_metadata.json
DataProcessing/dataset/raw_df.parquet
DataProcessing/preprocessing_obj/scaler.json
DataProcessing/preprocessing_obj/scaler.pkl
DataProcessing/timestamp_data/timestamps_calibration.npy
DataProcessing/timestamp_data/timestamps_fitting.npy
DataProcessing/timestamp_data/timestamps_test.npy
DataProcessing/timestamp_data/timestamps_train.npy
DataProcessing/timestamp_data/timestamps_val.npy
DataProcessing/window_config/window_config.json
model_dataloader/X_calibration.npy
model_dataloader/X_test.npy
model_dataloader/X_train.npy
model_dataloader/X_val.npy
model_dataloader/rows.npy
model_dataloader/starts_calibration.npy
model_dataloader/starts_fitting.npy
model_dataloader/starts_test.npy
model_dataloader/starts_train.npy
model_dataloader/starts_val.npy
model_dataloader/y_calibration.npy
model_dataloader/y_test.npy
model_dataloader/y_train.npy
model_dataloader/y_val.npy
model_inference/inference_metrics/metrics.json
model_inference/inference_results/events.json
model_inference/inference_results/windows.parquet
model_training/best_model_name.txt
model_training/checkpoints/cnn_ae.checkpoint
model_training/checkpoints/level.checkpoint
model_training/checkpoints/lstm_ae.checkpoint
model_training/checkpoints/var.checkpoint
model_training/cnn_ae.pth
model_training/level.pth
model_training/lstm_ae.pth
model_training/publication.json
model_training/release/cnn_ae.pth
model_training/release/config.yaml
model_training/release/ensemble_meta.json
model_training/release/level.pth
model_training/release/lstm_ae.pth
model_training/release/manifest.json
model_training/release/scaler.json
model_training/release/var.pth
model_training/release/window_config.json
model_training/speed.json
model_training/training_logs.json
model_training/var.pth
plots/distribution-score.svg
plots/losses-cnn_ae.svg
plots/losses-lstm_ae.svg
plots/score.svg
report.html
"""


def test_the_run_leaves_the_whole_tree(trained: Trained):
    """Every stage's artifacts are where people and later stages look for them."""
    root = trained.artifacts.root / "Artifact"
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) == TREE.split()


def test_the_release_serves_and_loads(trained: Trained):
    """The champion is what was trained."""
    champion = trained.store.champion("plant")
    assert champion is not None
    assert (champion.release, champion.version) == (RELEASE, trained.outcome.publication.version)
    detector = bundle.load(trained.store.fetch("plant", champion.release))
    assert detector.features == ("flow", "temp", "level")
    assert (detector.window, detector.interval_us, detector.gap_us) == (8, 1_000_000, 10_000_000)
    assert detector.ensemble.names == ("lstm_ae", "cnn_ae", "var", "level")
    assert set(detector.reference.features) == set(detector.features)
    assert detector.reference.features["level"].missing_share == pytest.approx(0.02, abs=0.01)


def test_it_finds_what_it_was_not_told_of(trained: Trained):
    """The faults were left out of training, and stand out."""
    labelled = trained.outcome.evaluation.labelled
    assert labelled is not None
    assert labelled.events_found == 4


def test_the_same_data_gives_the_same_release(trained: Trained, tmp_path):
    """All files of two runs are equal but for the manifest, which holds name and time; tensors to the last bit."""
    file = tmp_path / "plant.csv"
    shutil.copy(trained.file, file)
    again = train_on(file, tmp_path, trained.config, release="20260829T101501Z-3f2a92")
    one, other = candidate.files(trained.artifacts), candidate.files(again.artifacts)
    assert one.keys() == other.keys()
    for name in one.keys() - {"manifest.json"}:
        if name.endswith(".pth"):
            tensors = [torch.load(run.artifacts.release(name), weights_only=True) for run in (trained, again)]
            assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])
        else:
            assert one[name] == other[name]


def train(*options: str) -> Result:
    """The command, as a user calls it."""
    sizes = [f"networks.{name}.{key}={value}" for name in TINY["networks"] for key, value in {"hidden": 4}.items()]
    settings = ["window.size=8", "networks.gru_ae=null", "training.epochs=1", "training.threads=1", *sizes]
    changes = [word for setting in settings for word in ("--set", setting)]
    return CliRunner().invoke(tidewatch, ["train", "--no-tracking", "--dataset", "plant", *changes, *options])


@pytest.fixture
def workplace(tmp_path, monkeypatch, plain_environment):
    """A folder to work in, with a plant."""
    monkeypatch.chdir(tmp_path)
    return write_plant(tmp_path / "plant.csv", rows=300)


def test_the_command_tells_what_it_does(workplace):
    """It says what was understood, shows the figures, and names the release and the next command."""
    result = train("--data", "plant.csv")
    assert result.exit_code == 0, result.output
    champion = LocalStore(workplace.parent / "var" / "store").champion("plant")
    assert champion is not None
    assert f"{champion.release} now serves dataset plant" in result.output
    for expected in (
        "600 of 2 series (column 'machine'): 300 each",
        "one each 1 s, regular",
        "0.67% of the values, most in level 2.00%",
        "column 'anomaly': 80 of 600 readings (13.33%), 4 events",
        "windows that hold a labelled anomaly are left out",
        "validation loss",
        "promised 1.00%, measured",
        "AUC-PR",
        "of 4 found",
        "next: tidewatch score --data plant.csv --dataset plant",
        f"var/runs/{champion.release}/Artifact",
    ):
        assert expected in result.output
    config = (
        workplace.parent / "var/runs" / champion.release / "Artifact/model_training/release/config.yaml"
    ).read_text()
    assert "size: 8" in config


def test_without_promotion_the_release_waits(workplace):
    """It is published under its name, and the next command puts it into service."""
    result = train("--data", "plant.csv", "--no-promote", "--run-dir", "run")
    store = LocalStore(workplace.parent / "var" / "store")
    ((_, release),) = store.releases("plant")
    assert store.champion("plant") is None
    assert f"next: tidewatch releases promote plant {release}" in result.output
    assert (workplace.parent / "run" / "Artifact").is_dir()


def test_a_file_without_labels_gets_the_figures_there_are(workplace):
    """No figure is made up."""
    result = train("--data", "plant.csv", "--ignore", "anomaly")
    assert result.exit_code == 0, result.output
    assert "AUC-PR" not in result.output
    assert "lost correlation" in result.output
    assert "of the same stretches are flagged untouched" in " ".join(result.output.split())
    (metrics,) = workplace.parent.glob("var/runs/*/Artifact/model_inference/inference_metrics/metrics.json")
    assert json.loads(metrics.read_text())["labelled"] is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--data", "nowhere.csv"], "nowhere.csv does not exist"),
        (["--data", "plant.csv", "--set", "window.size=1"], "window.size is 1"),
        (["--data", "plant.csv", "--dataset", "../plant"], "dataset '../plant' is not a name"),
        (["--data", "plant.csv", "--run-dir", "."], "--run-dir . is not an empty folder; name a new one"),
        (["--data", "plant.csv", "--set", "window.size=200"], "no window of 200 rows fits"),
        (["--data", "plant.csv", "--set", "networks.my_ae.hidden=4"], "my_ae"),
    ],
)
def test_a_mistake_is_one_line(workplace, options, expected):
    """Exit code 1, one sentence, no traceback, and nothing published."""
    result = train(*options)
    assert result.exit_code == 1
    error = [line for line in result.output.splitlines() if line.startswith("error: ")]
    assert len(error) == 1
    assert expected in error[0]
    assert not (workplace.parent / "var" / "store").exists()


def test_a_path_that_looks_like_markup(workplace):
    """It is printed as it is, and quoted in the command to copy."""
    (workplace.parent / "s[").mkdir()
    workplace.rename(workplace.parent / "s[" / "g].csv")
    result = train("--data", "s[/g].csv", "--run-dir", "runs[/b]")
    assert result.exit_code == 0, result.output
    assert "report: runs[/b]/Artifact/report.html" in result.output
    assert "next: tidewatch score --data 's[/g].csv' --dataset plant" in result.output


def test_the_store_can_be_named(workplace):
    """`--setting` lays a setting over for this run, as for every command."""
    store = workplace.parent / "elsewhere"
    result = train("--data", "plant.csv", "--setting", f"store.url=dir:{store}")
    assert result.exit_code == 0, result.output
    assert LocalStore(store).champion("plant") is not None
    assert not (workplace.parent / "var" / "store").exists()


def test_usage_errors_have_their_own_code(workplace):
    """A missing option is click's to explain."""
    assert train().exit_code == 2


@pytest.mark.parametrize(
    ("interval", "expected"), [(1, "1 us"), (250_000, "250 ms"), (1_500_000, "1.5 s"), (300_000_000, "5 min")]
)
def test_intervals_are_spelled(interval, expected):
    """In the largest unit that is not larger."""
    assert spelled(interval) == expected
