"""Errors on held-out windows: every fold by members whose closed forms do not know it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.ensemble import measure
from schemas.training import TrainingConfig
from tests.training.conftest import TINY, Trained, write_plant
from training import crossfit, ingest, preprocess, train
from training.artifacts import Artifacts
from training.events import silent
from training.learner import fit_closed_forms
from training.loader import load
from training.roles import Wanted
from training.split import FITTING

SIZE = 8
LINEAR = TrainingConfig.model_validate(
    {**TINY, "networks": {"lstm_ae": {**TINY["networks"]["lstm_ae"], "rows": 0}}, "training": {"epochs": 1}}
)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A plant with two machines, preprocessed."""
    folder = tmp_path_factory.mktemp("crossfit")
    made = Artifacts(folder).make()
    ingest.run(made, write_plant(folder / "plant.csv"), Wanted(time="time", series="machine", label="anomaly"))
    preprocess.run(made, LINEAR)
    return made


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_every_window_is_in_one_fold_and_every_series_is_cut_alike(counts: list[int]):
    """Folds of a series follow each other in time, and differ by one window at most."""
    owners = np.repeat(np.arange(len(counts)), counts)
    found = list(crossfit.folds(owners))
    assert sorted(np.concatenate(found).tolist()) == list(range(len(owners)))
    for series, count in enumerate(counts):
        sizes = [int((owners[fold] == series).sum()) for fold in found]
        assert max(sizes) <= -(-count // crossfit.FOLDS)
        order = [number for number, fold in enumerate(found) for _ in fold[owners[fold] == series]]
        assert order == sorted(order)


@given(st.sets(st.integers(0, 200), min_size=1), st.sets(st.integers(0, 200), min_size=1))
def test_windows_apart_share_no_row(starts: set[int], held: set[int]):
    """As counting their rows tells."""
    ordered = np.array(sorted(starts))
    told = crossfit.apart(ordered, np.array(sorted(held)), SIZE)
    known = {row for start in held for row in range(start, start + SIZE)}
    assert told.tolist() == [known.isdisjoint(range(start, start + SIZE)) for start in ordered.tolist()]


def test_a_fold_is_judged_by_members_that_do_not_know_it(artifacts):
    """The errors of the first fold are those of closed forms fitted to all windows that share no row with it."""
    fitted = train.run(artifacts, LINEAR, silent)
    networks = {one.name: one.network for one in fitted}
    before = {name: {key: value.clone() for key, value in each.state_dict().items()} for name, each in networks.items()}
    errors, stretches = crossfit.errors(artifacts, LINEAR, networks, 1024)
    windows = load(artifacts, FITTING, SIZE)
    assert errors.shape == (3, len(windows), 3)
    assert len(stretches) == len(windows)
    for name, network in networks.items():  # they are left as they were
        assert all(torch.equal(before[name][key], value) for key, value in network.state_dict().items())

    owners = np.load(artifacts.timestamps(FITTING))["series"].astype(np.int64)
    held = next(crossfit.folds(owners))
    others = windows.chosen(crossfit.apart(windows.starts, windows.starts[held], SIZE))
    for network in networks.values():
        fit_closed_forms(network, others, LINEAR.scaling.clip)
    own = measure(list(networks.values()), windows.take(held), LINEAR.scaling.clip)
    np.testing.assert_allclose(errors[:, : len(held)], own, rtol=1e-5)


def test_a_stretch_ends_where_windows_do_not_follow_on_each_other(artifacts):
    """At folds, series and labelled anomalies; a hold that reached over would hold what was long ago."""
    networks = {one.name: one.network for one in train.run(artifacts, LINEAR, silent)}
    _, stretches = crossfit.errors(artifacts, LINEAR, networks, 1024)
    starts = load(artifacts, FITTING, SIZE).starts
    owners = np.load(artifacts.timestamps(FITTING))["series"].astype(np.int64)
    expected = 0
    for fold in crossfit.folds(owners):
        expected += 1 + int((np.diff(starts[fold]) != 1).sum())
    assert len(np.unique(stretches)) == expected
    assert (np.diff(stretches) >= 0).all()


def test_a_network_that_is_all_learnt_is_judged_on_what_taught_it_nothing(trained: Trained):
    """Without a linear path there is nothing to fit anew: only the calibration part counts."""
    networks = train.networks(trained.artifacts, trained.config)
    assert not networks["cnn_ae"].is_fitted
    errors, _ = crossfit.errors(trained.artifacts, trained.config, networks, 1024)
    windows = load(trained.artifacts, "calibration", trained.config.window.size)
    assert errors.shape[1] == len(windows)
    plain = measure([networks["cnn_ae"]], windows.take(np.arange(len(windows))), trained.config.scaling.clip)
    order = np.argsort(errors[list(networks).index("cnn_ae")].sum(axis=1), kind="stable")
    np.testing.assert_allclose(
        errors[list(networks).index("cnn_ae")].sum(axis=1)[order], np.sort(plain[0].sum(axis=1)), rtol=1e-5
    )


def test_of_many_windows_some_stretches_stand_for_all(monkeypatch):
    """They are spread evenly, and whole, so that a hold has something to reach over."""
    monkeypatch.setattr(crossfit, "MOST", 20)
    monkeypatch.setattr(crossfit, "STRETCH", 5)
    assert crossfit._some(np.arange(100, 160)).tolist() == [
        *range(100, 105), *range(115, 120), *range(130, 135), *range(145, 150)
    ]  # fmt: skip
