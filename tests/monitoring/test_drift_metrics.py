"""Drift on /metrics, and back from there."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.drift import Drift
from monitoring.drift_metrics import exposition
from monitoring.figures import figures
from monitoring.horizon import Span
from monitoring.scraped import add_up
from schemas.drift import Report
from tests.monitoring.drifting import NOW, PANE_US, Served, drawn, part, reference, sample
from tests.watchers import needs_promtool

PUMPS = Served("pumps", "r1", reference())
STRANGE = 'a "strange"\\name\nin two lines'


def reports(*counts: int, served: Served = PUMPS, shift: float = 1.0) -> list[Report]:
    """What workers say that each saw so many readings, one after the other."""
    whole, ends = sample(drawn(sum(counts), shift=shift)), np.cumsum(counts).tolist()
    told = []
    for begin, end in zip([0, *ends], ends, strict=False):
        drift = Drift(Span(PANE_US, 5), 100, 4)
        drift.observe(served, part(whole, slice(begin, end)), NOW)
        told += drift.reports([served], NOW)
    return told


def page(told: Sequence[Report], cap: int = 200) -> str:
    """What one worker serves."""
    return exposition(told, 300, 100, cap).decode()


def named(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Each metric's samples by their labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        name: {tuple(each.labels.values()): each.value for each in samples if each.name == name}
        for name in {each.name for each in samples}
    }


def test_every_figure_is_there_with_its_reference():
    """By the names that dashboards and alerts go by."""
    (report,) = reports(500)
    seen = named(page([report]))
    assert seen["feature_mean_ref"]["pumps", "r1", "f0"] == PUMPS.reference.features["f0"].mean
    assert seen["feature_mean_live"]["pumps", "r1", "f0"] == report.live.mean[0]
    assert seen["feature_std_live"]["pumps", "r1", "f1"] == report.live.std[1]
    for name in ("feature_psi_live", "feature_ks_live", "feature_missing_share_ref", "feature_missing_share_live"):
        assert seen[name].keys() == {("pumps", "r1", "f0"), ("pumps", "r1", "f1")}
    for name in ("feature_global_mean", "error_median", "error_p95", "anomaly_rate"):
        assert seen[f"{name}_ref"].keys() == seen[f"{name}_live"].keys() == {("pumps", "r1")}
    assert seen["anomaly_rate_ref"]["pumps", "r1"] == 0.02
    assert seen["flag_rate_live"]["pumps", "r1"] == report.totals.flagged / 500
    assert seen["tidewatch_drift_error_bucket"]["pumps", "r1", "+Inf"] == 500


def test_too_few_readings_show():
    """Their number is there, and the reference; a live figure is not, not even as 0."""
    seen = named(page(reports(99)))
    assert seen["tidewatch_drift_readings"]["pumps", "r1"] == 99
    assert seen["tidewatch_drift_min_readings"][()] == 100
    assert seen["feature_mean_ref"]
    assert not [name for name in seen if name.endswith("_live")]


def test_any_name_of_a_feature_can_be_read_again():
    """A quotation mark, a backslash and a line break among them."""
    served = Served(STRANGE, "r1", reference(names=("f0", STRANGE)))
    assert (STRANGE, "r1", STRANGE) in named(page(reports(10, served=served)))["feature_mean_ref"]


@pytest.mark.parametrize("counts", [(500,), (200, 300), (400, 60, 40), (500, 0)])
def test_workers_add_up_to_what_one_would_have_said(counts: tuple[int, ...]):
    """From their pages alone, even where each of them has too few."""
    (whole,) = reports(500)
    (together,) = add_up([page([report]) for report in reports(*counts)]).reports
    assert (together.dataset, together.release, together.baseline.features) == ("pumps", "r1", ("f0", "f1"))
    for name, wanted in vars(whole.live).items():
        np.testing.assert_allclose(getattr(together.live, name), wanted, rtol=1e-9, atol=1e-9, err_msg=name)


def test_bins_are_left_out_of_a_dataset_with_very_many_features():
    """Of the whole is then told the most that any worker has; of KS that is no less than what it is."""
    (whole,), parts = reports(500), reports(300, 200)
    pages = [page([report], cap=1) for report in parts]
    assert not [text for text in pages if "bin=" in text]
    live = add_up(pages).reports[0].live
    np.testing.assert_allclose(live.mean, whole.live.mean)
    np.testing.assert_allclose(live.psi, np.max([report.live.psi for report in parts], axis=0))
    assert (live.ks >= whole.live.ks - 1e-9).all()


def test_a_page_of_something_else_is_an_error():
    """Not a fleet without datasets."""
    with pytest.raises(ValueError, match="tidewatch_drift_min_readings"):
        add_up(["# HELP up Up.\n# TYPE up gauge\nup 1\n"])


def test_nothing_is_told_before_anything_is_loaded():
    """But for the settings."""
    seen = named(page([]))
    assert seen.keys() == {"tidewatch_drift_horizon_seconds", "tidewatch_drift_min_readings"}


@needs_promtool
def test_promtool_finds_nothing_to_say():
    """Names, help and types are as Prometheus wants them."""
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page(reports(500)), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_live_figures_follow_from_what_adds_up():
    """Of one worker both say the same."""
    (report,) = reports(500)
    again = figures(report.baseline, report.totals, 100)
    assert all(np.array_equal(getattr(again, name), figure) for name, figure in vars(report.live).items())
    assert not math.isnan(again.global_mean)
