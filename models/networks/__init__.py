"""The networks by the name that configs and releases use."""

from __future__ import annotations

from models.networks.autoencoder import Autoencoder
from models.networks.autoregression import Autoregression
from models.networks.cnn import CNNAutoencoder
from models.networks.gru import GRUAutoencoder
from models.networks.level import Level
from models.networks.lstm import LSTMAutoencoder
from models.networks.recurrent import RecurrentAutoencoder
from schemas.errors import TidewatchError
from schemas.training import AUTOREGRESSION, LEVEL, NetworkConfig, TrainingConfig

NETWORKS: dict[str, type[RecurrentAutoencoder | CNNAutoencoder]] = {
    "lstm_ae": LSTMAutoencoder,
    "gru_ae": GRUAutoencoder,
    "cnn_ae": CNNAutoencoder,
}


def build(name: str, window: int, features: int, config: NetworkConfig) -> Autoencoder:
    """A network with fresh weights from torch's random state."""
    if name not in NETWORKS:
        raise TidewatchError(f"networks.{name} is not a network that exists; choose from {', '.join(NETWORKS)}")
    return NETWORKS[name](window, features, config)


def build_member(name: str, features: int, config: TrainingConfig) -> Autoencoder:
    """A member of a config's ensemble, as it is before it has learnt anything; see `TrainingConfig.members`."""
    if name == AUTOREGRESSION:
        return Autoregression(config.window.size, features, config.autoregression)
    if name == LEVEL:
        return Level(config.window.size, config.level)
    return build(name, config.window.size, features, config.networks[name])
