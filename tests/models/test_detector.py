"""The detector: scaled windows in, errors on the scale of scores out, and the blame in raw units."""

from __future__ import annotations

import numpy as np
import pytest

from models.bundle import load
from models.detector import Detector
from models.ensemble import Float32
from tests import tiny_release


@pytest.fixture(scope="module")
def detector() -> Detector:
    """A small detector with real networks."""
    return load(tiny_release.release_files("pumps", features=("flow", "temp", "volt"))[1])


def windows(n: int) -> Float32:
    """Scaled windows (n, time, feature)."""
    return np.random.default_rng(3).normal(size=(n, tiny_release.WINDOW, 3)).astype(np.float32)


def test_every_window_is_scored(detector: Detector):
    """All that is said of a window has one entry for each, and the plain error is that of the reconstructions."""
    given = windows(9)
    scored = detector.score(given)
    members = len(detector.ensemble.members)
    assert scored.combined.shape == scored.error.shape == (9,)
    assert scored.model_scores.shape == (9, members)
    assert scored.reconstructions.shape == (members, *given.shape)
    assert scored.windows is given
    plain = ((scored.reconstructions - given.clip(-10, 10)) ** 2).mean(axis=(0, 2, 3))
    assert scored.error == pytest.approx(plain, rel=1e-5)


def test_a_mean_of_model_scores_is_the_score(detector: Detector):
    """Networks' own scores are on the scale of the score: combined by mean, they average to it."""
    scored = detector.score(windows(9))
    assert scored.model_scores.mean(axis=1) == pytest.approx(detector.scale(scored.combined))


def test_the_scale_is_affine(detector: Detector):
    """A combined error of `zero` scores 0, and one of `level` scores 1."""
    assert detector.scale(np.array([detector.zero, detector.level])) == pytest.approx([0, 1])


def test_windows_do_not_see_each_other(detector: Detector):
    """A window scores the same alone as among others."""
    given = windows(50)
    together = detector.score(given).combined
    alone = np.concatenate([detector.score(given[k : k + 1]).combined for k in range(50)])
    np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-6)


def test_no_window_is_no_score(detector: Detector):
    """A batch in which no window ended is nothing special."""
    assert detector.score(windows(0)).combined.shape == (0,)


def test_the_blame_speaks_raw_units(detector: Detector):
    """A feature that goes wrong has the largest share; actual is what was measured at the row that is named."""
    scaler = detector.scaler
    raw = scaler.inverse(windows(5))
    raw[2, 6, 1] = 500.0
    scored = detector.score(scaler.transform(raw))
    blame = detector.attribute(scored, np.array([2, 4]))
    assert blame.shares.shape == (2, 3)
    assert blame.shares.sum(axis=1) == pytest.approx([1, 1])
    assert blame.shares[0].argmax() == 1
    assert blame.rows[0, 1] == 6
    assert blame.actual[0, 1] == pytest.approx(500.0)
    assert abs(blame.expected[0, 1]) < 100
    chosen = raw[[[2], [4]], blame.rows, np.arange(3)]
    assert blame.actual == pytest.approx(chosen, rel=1e-5)
