"""Detector configs: by name, by file, with keys set on the command line, and what is said of a wrong key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config.settings import FILES
from schemas.training import NetworkConfig, TrainingConfig
from training.config import ConfigError, dump, load

FOLDER = FILES / "detectors"


def test_keys_are_laid_over_the_file():
    """`--set` changes one key, and leaves its neighbours as the file has them."""
    config = load("quick", FOLDER, ["window.size=16", "training.learning_rate=1e-2", "networks.gru_ae.hidden=5"])
    plain = load("quick", FOLDER)
    assert config.window.size == 16
    assert config.training.learning_rate == 0.01
    assert config.networks["gru_ae"] == plain.networks["gru_ae"].model_copy(update={"hidden": 5})
    assert config.networks["lstm_ae"] == plain.networks["lstm_ae"]
    assert config.training.epochs == plain.training.epochs


def test_null_takes_a_network_away():
    """An ensemble may be smaller than the default one."""
    assert list(load("default", FOLDER, ["networks.gru_ae=null"]).networks) == ["lstm_ae", "cnn_ae"]


def test_a_file_of_ones_own(tmp_path):
    """What a file leaves out has its default; its networks are all there are."""
    file = tmp_path / "mine.yaml"
    file.write_text("networks: {cnn_ae: {hidden: 3}}\n")
    config = load(str(file), FOLDER)
    assert config.networks == {"cnn_ae": NetworkConfig(hidden=3)}
    assert config.window == TrainingConfig().window


def test_a_dumped_config_loads_the_same(tmp_path):
    """The resolved config of a run can be used again."""
    config = load("quick", FOLDER, ["threshold.rate=0.02"])
    file = tmp_path / "config.yaml"
    file.write_text(dump(config))
    assert load(str(file), Path("nowhere")) == config
    assert yaml.safe_load(dump(config))["threshold"]["rate"] == 0.02


@pytest.mark.parametrize(
    ("named", "change", "expected"),
    [
        ("quick", "window.size=2", "--set: window.size is 2; input should be greater than or equal to 4"),
        ("quick", "window.siz=8", "--set: there is no key 'window.siz'; the keys there are size, stride, shrinks"),
        ("quick", "networks.gru_ae.width=8", "no key 'networks.gru_ae.width'; the keys there are hidden, latent"),
        ("quick", "threshold.method=magic", "threshold.method is 'magic'; input should be 'quantile', 'k_sigma'"),
        ("quick", "split.train=0.9", "train + validation + calibration is 1.15; leave some below 1"),
        ("quick", "window", "--set 'window' has no key=value; write for instance --set window.size=16"),
        ("quick", "window.size.x=1", "--set window.size.x: 'size' is a value and has no keys"),
        ("quick", "window.size=[", "--set window.size: '[' is no YAML value"),
        ("quick", "window.size=", "--set window.size: the value is empty; write one, or leave the option out"),
        ("quick", "networks.lstm_ae.hidden=null", "--set networks.lstm_ae.hidden: the value is empty"),
        ("quick", "networks.lstm_ae.hidden=true", "networks.lstm_ae.hidden is True; input should be a valid integer"),
        ("quick", "window.size=8.0", "window.size is 8.0; input should be a valid integer"),
        ("quick", "networks.foo={}", "--set: networks.foo is not a network that exists; there are lstm_ae, gru_ae"),
        ("quick", "ensemble.weights.gru=2", "--set: ensemble.weights.gru weighs what takes no part; there are lstm_ae"),
        (
            "quick",
            "ensemble.weights={lstm_ae: 0, gru_ae: 0, cnn_ae: 0, var: 0, level: 0}",
            "--set: ensemble.weights are all 0",
        ),
        ("quick", f"threshold.method={'x' * 999}", f"threshold.method is '{'x' * 76}...; input should be"),
        (
            "slow",
            "window.size=8",
            "config 'slow' is neither a file nor one of ours; give a YAML file, or one of: default",
        ),
    ],
)
def test_a_wrong_key_is_named(named, change, expected):
    """The message says which key, its value, and what would do."""
    with pytest.raises(ConfigError) as caught:
        load(named, FOLDER, [change])
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["time,a\n" + "2020-01-01,1.5\n" * 500, "- 1\n- 2\n"])
def test_a_file_that_is_no_config(tmp_path, text):
    """Readings given for a config are named as such, and not printed whole."""
    file = tmp_path / "data.csv"
    file.write_text(text)
    with pytest.raises(
        ConfigError, match=r"data\.csv holds .*, which is no config; give a YAML file such as"
    ) as caught:
        load(str(file), FOLDER)
    assert len(str(caught.value)) < len(str(file)) + 200


def test_null_takes_a_weight_away():
    """A network without a weight has the default one."""
    changes = ["ensemble.weights.cnn_ae=2", "ensemble.weights.cnn_ae=null"]
    assert load("quick", FOLDER, changes).ensemble.weights == {}


def test_a_file_that_is_no_yaml(tmp_path):
    """The file is named, and the place in it."""
    file = tmp_path / "broken.yaml"
    file.write_text("window: {size: 8\n")
    with pytest.raises(ConfigError, match=r"broken\.yaml is no YAML: .* line 2"):
        load(str(file), FOLDER)
