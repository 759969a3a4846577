"""A release survives the way to disk and back to the last bit, and nothing else gets through."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import load, pack
from models.golden import make_golden
from models.manifest import MANIFEST, BundleError, check, digest
from schemas.manifest import FORMAT
from schemas.training import TrainingConfig
from tests import tiny_release

Files = dict[str, bytes]

RELEASE, FILES = tiny_release.release_files("pumps")
NAMES = ["config.yaml", "scaler.json", "window_config.json", "ensemble_meta.json", "gru_ae.pth", "cnn_ae.pth"]


def signed(files: Files, **manifest: Any) -> Files:
    """The files with a manifest whose digests are right: the work of somebody who may write to the store."""
    said = msgspec.json.decode(files[MANIFEST]) | manifest
    said["files"] = {name: digest(content) for name, content in files.items() if name != MANIFEST}
    return files | {MANIFEST: msgspec.json.encode(said)}


def with_json(name: str, change: Callable[[dict[str, Any]], None]) -> Files:
    """A signed release, one of whose JSON files was edited."""
    said = msgspec.json.decode(FILES[name])
    change(said)
    return signed(FILES | {name: msgspec.json.encode(said)})


def with_tensors(change: Callable[[dict[str, Any]], Any]) -> Files:
    """A signed release in which the GRU's tensors are others."""
    tensors = torch.load(io.BytesIO(FILES["gru_ae.pth"]), weights_only=True)
    buffer = io.BytesIO()
    torch.save(change(tensors), buffer)
    return signed(FILES | {"gru_ae.pth": buffer.getvalue()})


def test_a_release_holds_what_serving_needs_and_no_more():
    """The files are those that are promised, each with its digest."""
    assert sorted(FILES) == sorted([*NAMES, MANIFEST])
    manifest = check(FILES)
    assert (manifest.release, manifest.dataset) == (RELEASE, "pumps")
    assert manifest.config_digest == digest(FILES["config.yaml"])
    assert len(manifest.golden) == 3


def test_a_loaded_release_scores_the_same():
    """Loaded, packed and loaded again: the same bytes, and the same scores to the last bit."""
    detector = load(FILES)
    config = TrainingConfig.model_validate(yaml.safe_load(FILES["config.yaml"]))
    manifest = check(FILES)
    again = pack(detector, config, manifest.code_version, manifest.created)
    assert again == FILES
    windows = np.random.default_rng(0).normal(size=(20, detector.window, 2)).astype(np.float32)
    ours, theirs = detector.score(windows), load(again).score(windows)
    assert np.array_equal(ours.combined, theirs.combined)
    assert np.array_equal(ours.model_scores, theirs.model_scores)


def test_the_trained_detector_and_the_loaded_one_score_alike():
    """The golden windows, scored by the detector that was packed, score the same to the last bit when it is loaded."""
    assert make_golden(load(FILES), 3) == check(FILES).golden


def test_a_loaded_detector_is_ready_to_serve():
    """Its networks are in eval mode and want no gradients; plain and serving path still agree."""
    for member in load(FILES).ensemble.members:
        assert not member.network.training
        assert not any(parameter.requires_grad for parameter in member.network.parameters())
        window = torch.ones(1, tiny_release.WINDOW, 2)
        served = member.network.reconstruct(window.permute(1, 2, 0).contiguous()).permute(2, 0, 1)
        torch.testing.assert_close(member.network(window), served)


@pytest.mark.parametrize("name", NAMES)
def test_any_damage_to_a_file_is_refused(name: str):
    """A file cut, longer, emptied, gone or swapped with another is refused by its name."""
    content = FILES[name]
    other = FILES["cnn_ae.pth" if name != "cnn_ae.pth" else "gru_ae.pth"]
    for damaged in (content[:-1], content + b"\n", b"", other):
        with pytest.raises(BundleError, match=f"{name} is damaged"):
            load(FILES | {name: damaged})
    with pytest.raises(BundleError, match=f"{name} is in the manifest but missing"):
        load({each: kept for each, kept in FILES.items() if each != name})


@given(st.sampled_from(NAMES), st.integers(0), st.integers(1, 255))
def test_any_changed_byte_is_refused(name: str, place: int, change: int):
    """Wherever in a file a byte is changed, the release is refused by that file's name."""
    content = bytearray(FILES[name])
    content[place % len(content)] ^= change
    with pytest.raises(BundleError, match=name):
        check(FILES | {name: bytes(content)})


@given(st.integers(0), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_manifest_is_refused_in_words(place: int, put: bytes, cut: int):
    """Whatever becomes of the manifest, it is refused as a BundleError, or what it says is still true."""
    content = FILES[MANIFEST]
    place %= len(content)
    changed = FILES | {MANIFEST: content[:place] + put + content[place + cut :]}
    try:
        manifest = check(changed)
    except BundleError:
        return
    assert manifest.files == check(FILES).files


def test_a_file_nobody_promised_is_refused():
    """What is not in the manifest is not looked at, whatever it is called."""
    with pytest.raises(BundleError, match=r"extra\.json is not in the manifest"):
        load(FILES | {"extra.json": b"{}"})
    for name in ("../escape.json", "run.py", "A.pth", ".pth"):
        with pytest.raises(BundleError, match="not a name"):
            load(FILES | {name: b"{}"})
        with pytest.raises(BundleError, match="not a name"):
            load(signed(FILES | {name: b"{}"}))


def test_a_promised_file_that_the_config_does_not_ask_for_is_refused():
    """A signed file too many, or too few, is no release of this config."""
    with pytest.raises(BundleError, match="does not ask for"):
        load(signed(FILES | {"lstm_ae.pth": FILES["gru_ae.pth"]}))
    for name in NAMES:
        with pytest.raises(BundleError, match=rf"{name} is missing|lacks some"):
            load(signed({each: content for each, content in FILES.items() if each != name}))


def test_no_manifest_no_release():
    """Without a manifest, or with one that is not JSON, nothing is loaded."""
    with pytest.raises(BundleError, match=r"manifest\.json is missing"):
        load({})
    with pytest.raises(BundleError, match=r"manifest\.json can not be read"):
        load(FILES | {MANIFEST: b"\xff{"})


@pytest.mark.parametrize(("number", "way"), [(FORMAT + 1, "update Tidewatch"), (FORMAT - 1, "train again")])
def test_another_format_says_what_to_do(number: int, way: str):
    """A release of another Tidewatch is refused by its format number, whatever else is in it."""
    with pytest.raises(BundleError, match=rf"format {number}, this program reads {FORMAT}: {way}"):
        load({MANIFEST: b'{"format": %d, "files": ["another shape"]}' % number})


class Bomb:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("form", ["pickle", "torch", "old torch", "inside"])
def test_a_pickle_is_never_executed(form: str, tmp_path: Path):
    """Code in a tensor file, correctly signed, is refused and does not run."""
    mark = tmp_path / "mark"
    buffer = io.BytesIO()
    if form == "pickle":
        pickle.dump(Bomb(mark), buffer)
    elif form == "inside":
        torch.save({"encoder.weight_ih_l0": torch.zeros(1), "more": Bomb(mark)}, buffer)
    else:
        torch.save(Bomb(mark), buffer, _use_new_zipfile_serialization=form == "torch")
    with pytest.raises(BundleError, match=r"gru_ae\.pth does not hold"):
        load(signed(FILES | {"gru_ae.pth": buffer.getvalue()}))
    assert not mark.exists()


def test_compressed_tensors_are_refused():
    """An archive that unfolds while it is read could fill the memory; torch writes none such."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(FILES["gru_ae.pth"])) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry), zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleError, match=r"gru_ae\.pth.*compressed"):
        load(signed(FILES | {"gru_ae.pth": buffer.getvalue()}))


@pytest.mark.filterwarnings("ignore:Validating sparse")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: {key: tensor[:1] for key, tensor in tensors.items()}, "size mismatch"),
        (lambda tensors: dict(list(tensors.items())[1:]), "Missing key"),
        (lambda tensors: tensors | {"more": torch.zeros(1)}, "Unexpected key"),
        (lambda tensors: [1, 2, 3], "does not hold"),
        (lambda tensors: tensors | {"output.bias": torch.tensor([np.nan, 0])}, "finite"),
        (lambda tensors: tensors | {"output.bias": torch.tensor([0, np.inf])}, "finite"),
        (lambda tensors: {key: tensor.double() for key, tensor in tensors.items()}, "float32"),
        (lambda tensors: {key: tensor.to_sparse() for key, tensor in tensors.items()}, "plain"),
    ],
    ids=["shape", "missing", "more", "list", "nan", "infinity", "double", "sparse"],
)
def test_tensors_that_do_not_fit_are_refused(change: Callable[[dict[str, Any]], Any], said: str):
    """Tensors of another network, or that are no finite float32 numbers, are refused in one line."""
    with pytest.raises(BundleError, match=rf"^gru_ae\.pth .*{said}") as raised:
        load(with_tensors(change))
    assert "\n" not in str(raised.value)


def test_a_detector_that_scores_otherwise_is_refused():
    """Tensors that fit but are not those of the release show in the golden windows."""
    with pytest.raises(BundleError, match=r"golden window 1 scores .* here, and .* when the release was made"):
        load(with_tensors(lambda tensors: {key: tensor * 1.1 for key, tensor in tensors.items()}))


def test_a_release_without_golden_windows_is_refused():
    """Nothing would show that it scores here as where it was made."""
    with pytest.raises(BundleError, match=r"manifest\.json has no golden windows"):
        load(signed(FILES, golden=[]))


def test_a_golden_window_of_another_shape_is_refused():
    """A golden window must be of the detector's shape."""
    for values in ([], [[1.0]], [[1.0, 2.0]] * (tiny_release.WINDOW + 1)):
        with pytest.raises(BundleError, match="golden window 1 is not of 8 x 2"):
            load(signed(FILES, golden=[{"values": values, "score": 0}]))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("scaler.json", lambda file: file.update(scale=[1, 0]), "scale above 0"),
        ("scaler.json", lambda file: file.update(mean=[1], scale=[1]), "one scale a feature"),
        ("scaler.json", lambda file: file.pop("mean"), "mean and scale"),
        ("window_config.json", lambda file: file.update(size=9), "another window"),
        ("window_config.json", lambda file: file.update(gap_us=0), "above 0"),
        ("window_config.json", lambda file: file.pop("stride"), "can not be read"),
        ("ensemble_meta.json", lambda file: file["score"].update(unit=0), "above 0"),
        ("ensemble_meta.json", lambda file: file["score"].update(zero=None), "can not be read"),
        ("ensemble_meta.json", lambda file: file["score"].update(hold=1), "hold"),
        ("ensemble_meta.json", lambda file: file.update(combine="sum"), "networks: sum"),
        ("ensemble_meta.json", lambda file: file["normalisers"].pop("gru_ae"), "other networks"),
        ("ensemble_meta.json", lambda file: file["normalisers"]["gru_ae"].update(feature_scale=[1]), "a feature"),
        ("ensemble_meta.json", lambda file: file["normalisers"]["gru_ae"].update(spread=-1), "above 0"),
        ("ensemble_meta.json", lambda file: file["reference"]["features"].pop("flow"), "one reference a feature"),
    ],
)
def test_texts_that_can_not_score_are_refused(name: str, change: Callable[[dict[str, Any]], None], said: str):
    """A signed file that contradicts the others, or holds a number that can not score, is refused by its name."""
    with pytest.raises(BundleError, match=rf"^({name}|window_config\.json|ensemble_meta\.json) .*{said}"):
        load(with_json(name, change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda meta: meta["weights"].update(gru_ae=-0.5), "weight below 0"),
        (lambda meta: meta["threshold"].update(rate=-1), "rate that is not between"),
        (lambda meta: meta["reference"].update(anomaly_rate=1.5), "anomaly rate"),
        (lambda meta: meta["reference"]["error"].update(median=-1), "error below 0"),
        (lambda meta: meta["reference"]["error"]["histogram"]["counts"].pop(), "histogram of the error"),
        (lambda meta: meta["reference"]["features"]["flow"].update(std=-1), "std of 'flow' below 0"),
        (lambda meta: meta["reference"]["features"]["flow"].update(missing_share=-0.1), "missing_share of 'flow'"),
        (lambda meta: meta["reference"]["features"]["flow"]["histogram"]["counts"].insert(0, -1), "of 'flow'"),
        (lambda meta: meta["reference"]["features"]["flow"]["histogram"]["edges"].reverse(), "histogram of 'flow'"),
        (lambda meta: meta["reference"]["features"]["flow"]["histogram"].update(edges=[0], counts=[]), "of 'flow'"),
    ],
)
def test_a_reference_that_can_not_be_is_refused(change: Callable[[dict[str, Any]], None], said: str):
    """Live figures are held against these: shares beyond 0 to 1, and counts that are none, would mislead."""
    with pytest.raises(BundleError, match=rf"^ensemble_meta\.json has a .*{said}"):
        load(with_json("ensemble_meta.json", change))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"hidden: 4", b"hidden: 0", "networks.gru_ae.hidden"),
        (b"format: 1", b"format: 1\nsurprise: 1", "surprise"),
        (b"linear: 0.0\nautoregression", b"linear: 0.0\n    layers: 7\nautoregression", "networks.cnn_ae.layers is 7"),
        (b"window:", b"window: [", "not a training config"),
    ],
)
def test_configs_that_can_not_be_built_are_refused(old: bytes, new: bytes, said: str):
    """A config of another version is refused with the key that is wrong."""
    with pytest.raises(BundleError, match=r"^config\.yaml ") as raised:
        load(signed(FILES | {"config.yaml": FILES["config.yaml"].replace(old, new)}))
    assert said in str(raised.value)


def test_a_config_with_many_strange_keys_is_refused_for_the_first():
    """A release of a later version is told by one key, not by a page of them."""
    strange = FILES["config.yaml"].replace(b"judged:", b"weighed:")
    said = r"of this version \(networks\.gru_ae\.weighed: Extra inputs are not permitted\); train again, or update"
    with pytest.raises(BundleError, match=said):
        load(signed(FILES | {"config.yaml": strange}))


def test_a_network_of_a_later_version_is_refused():
    """A release with a network that this version does not have says which."""
    renamed = {name.replace("gru", "foo"): content.replace(b"gru_ae", b"foo_ae") for name, content in FILES.items()}
    with pytest.raises(BundleError, match=r"config\.yaml .*networks\.foo_ae is not a network"):
        load(signed(renamed))


def test_yaml_builds_no_objects():
    """A YAML tag that would make an object is refused."""
    with pytest.raises(BundleError, match=r"config\.yaml is not a training config"):
        load(signed(FILES | {"config.yaml": b"!!python/object/apply:os.system ['true']"}))


def test_a_file_too_large_is_refused_before_it_is_parsed(monkeypatch):
    """A text beyond the limit is refused by its size."""
    monkeypatch.setattr("models.manifest.LARGEST_TEXT", 100)
    with pytest.raises(BundleError, match="at most 100 are allowed"):
        load(FILES)
