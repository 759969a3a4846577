"""What each part of the default detector is worth: the same run with that part off, or changed.

An ablation is a name and the `--set` overrides that make it. Nothing is trained again for one that only leaves out
networks, or changes the ensemble or the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping

NETWORKS = ("lstm_ae", "gru_ae", "cnn_ae")

ABLATIONS: Mapping[str, tuple[str, ...]] = {
    "without the LSTM": ("networks.lstm_ae=null",),
    "without the GRU": ("networks.gru_ae=null",),
    "without the CNN": ("networks.cnn_ae=null",),
    "without the autoregression": ("autoregression.use=false",),
    "without the level": ("level.use=false",),
    "autoregression alone, nearly": ("autoregression.weight=1e6",),
    "level alone, nearly": ("level.weight=1e6",),
    "all of one weight": ("ensemble.combine=mean",),
    "the largest counts": ("ensemble.combine=max",),
    "without linear paths": tuple(f"networks.{name}.linear=0" for name in NETWORKS),
    "windows of 32 rows for all": ("window.size=32", "networks.lstm_ae.rows=0"),
    "all rows of a window judged": tuple(f"networks.{name}.judged=0" for name in NETWORKS),
    "features not normalised": ("ensemble.feature_floor=1e9",),  # the floor drowns what sets features apart
    "without hold": ("ensemble.hold=0",),
    "threshold that stands still": ("threshold.method=quantile",),
}
