"""Three networks' reconstruction errors become one number per window, with each feature's part in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn


@dataclass(frozen=True, eq=False)
class Normaliser:
    """One network's errors on the scale of its own normal errors: per feature first, then over windows."""

    feature_scale: NDArray[np.float64]  # (feature,)
    centre: float
    spread: float


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, in eval mode, and what its errors normally are."""

    name: str
    network: nn.Module
    normaliser: Normaliser


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members and the rule that makes their errors one."""

    members: tuple[Member, ...]
    combine: str
    weights: tuple[float, ...]
    clip: float  # networks and errors see inputs within this many standard deviations
