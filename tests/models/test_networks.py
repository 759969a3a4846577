"""Every network passes the same suite; a new one is found in the registry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.networks import NETWORKS, build
from schemas.errors import TidewatchError
from schemas.training import NetworkConfig, TrainingConfig
from tests.checks.networks import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", NETWORKS)
def test_network(name: str, check: Callable[[str], None]):
    """The check holds for this network."""
    check(name)


def test_the_default_config_names_networks_that_exist():
    """Whoever configures nothing gets all networks, at the smallest window there can be too."""
    config = TrainingConfig()
    assert list(config.networks) == list(NETWORKS)
    for name, size in config.networks.items():
        build(name, 4, 1, size)


def test_a_window_that_can_not_be_halved_so_often_is_refused():
    """The message has the key, the limit and both ways out."""
    said = r"networks\.cnn_ae\.layers is 4, but a window of 9 rows .* at most 3 times; .* raise window\.size to 16"
    with pytest.raises(TidewatchError, match=said):
        build("cnn_ae", 9, 2, NetworkConfig(layers=4))
