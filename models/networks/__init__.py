"""The networks by the name that configs and releases use."""

from __future__ import annotations

from models.networks.autoencoder import Autoencoder
from models.networks.cnn import CNNAutoencoder
from models.networks.gru import GRUAutoencoder
from models.networks.lstm import LSTMAutoencoder
from schemas.errors import TidewatchError
from schemas.training import NetworkConfig

NETWORKS: dict[str, type[Autoencoder]] = {
    "lstm_ae": LSTMAutoencoder,
    "gru_ae": GRUAutoencoder,
    "cnn_ae": CNNAutoencoder,
}


def build(name: str, window: int, features: int, config: NetworkConfig) -> Autoencoder:
    """A network with fresh weights from torch's random state."""
    if name not in NETWORKS:
        raise TidewatchError(f"networks.{name} is not a network that exists; choose from {', '.join(NETWORKS)}")
    return NETWORKS[name](window, features, config)
