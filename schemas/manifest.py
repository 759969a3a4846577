"""What a release says of itself: the manifest of its files, and the champion pointer of a store."""

from __future__ import annotations

import msgspec

FORMAT = 3  # grows when what a release holds means something else


class GoldenWindow(msgspec.Struct, frozen=True):
    """A window in raw units, (window, feature), and the score the detector gave it when the release was made."""

    values: list[list[float]]
    score: float


class Identity(msgspec.Struct, frozen=True):
    """What a release is called, and who made it when."""

    dataset: str
    release: str
    created: str  # RFC 3339
    code_version: str


class WindowMeta(msgspec.Struct, frozen=True):
    """`window_config.json`: how readings become windows. Times are microseconds."""

    size: int
    stride: int
    hold_limit: int  # rows for which a missing value repeats the last one
    interval_us: int  # median time between readings in training
    gap_us: int  # a longer pause restarts the window


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.json`: enough to decide, before anything is loaded, whether these files are a whole release."""

    format: int
    release: str
    dataset: str
    created: str
    features: list[str]
    window: int
    stride: int
    code_version: str
    config_digest: str
    files: dict[str, str]  # name -> SHA-256, all but the manifest itself
    golden: list[GoldenWindow]


class Champion(msgspec.Struct, frozen=True):
    """The pointer of one dataset: which release serves, and which served before it.

    `previous` names each release once, that which served last at the end; what was rolled back from is not in it.
    """

    release: str
    version: int  # grows by one with every promotion; what a compare-and-set compares
    previous: list[str] = []
