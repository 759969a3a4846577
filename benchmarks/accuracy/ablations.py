"""What each part of the default detector is worth: the same run with that part off, or changed.

An ablation is a name and the `--set` overrides that make it. Nothing is trained again for one that only leaves out
networks, or changes the ensemble or the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping

ABLATIONS: Mapping[str, tuple[str, ...]] = {
    "without the LSTM": ("networks.lstm_ae=null",),
    "without the GRU": ("networks.gru_ae=null",),
    "without the CNN": ("networks.cnn_ae=null",),
    "features not normalised": ("ensemble.feature_floor=1e9",),  # the floor drowns what sets features apart
    "with a hold of 0.9": ("ensemble.hold=0.9",),
    "threshold that stands still": ("threshold.method=quantile",),
}
