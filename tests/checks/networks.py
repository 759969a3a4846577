"""What every network must do: each check takes the name that a config uses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from models.networks import build
from models.networks.autoencoder import Autoencoder
from schemas.errors import TidewatchError
from schemas.training import NetworkConfig

SMALL = NetworkConfig(hidden=6, latent=3, layers=2)
WITH_PATH = NetworkConfig(hidden=6, latent=3, layers=2, linear=0.7)


def make(name: str, window: int = 8, features: int = 3, config: NetworkConfig = SMALL) -> Autoencoder:
    """A small network in eval mode, the same every time."""
    torch.manual_seed(1)
    return build(name, window, features, config).eval()


def noise(batch: int, window: int = 8, features: int = 3) -> Tensor:
    """Windows (batch, time, feature), the same every time."""
    return torch.randn(batch, window, features, generator=torch.Generator().manual_seed(2))


def served(network: Autoencoder, windows: Tensor) -> Tensor:
    """What the serving path makes of windows (batch, time, feature), in that order of axes."""
    return network.reconstruct(windows.permute(1, 2, 0).contiguous()).permute(2, 0, 1)


def both_paths(network: Autoencoder) -> tuple[int, ...]:
    """Numbers of windows that are served in the one way, and in the other."""
    return 1, network.few, network.few + 1


def check_keeps_the_shape(name: str) -> None:
    """What comes out has the shape of what goes in, for any window, odd ones too, any features and any batch."""
    for window in (4, 5, 7, 32, 33):
        for features in (1, 9):
            network = make(name, window, features)
            for batch in both_paths(network):
                windows = noise(batch, window, features)
                assert network(windows).shape == served(network, windows).shape == windows.shape


def check_serves_what_it_trained(name: str) -> None:
    """The serving path gives what `forward` gives, on quiet and on wild windows, at every depth."""
    for layers in (1, 2, 3):
        for window in (8, 11):
            network = make(name, window, config=SMALL.model_copy(update={"layers": layers}))
            for size, batch in product((0.01, 1.0, 10.0), both_paths(network)):
                windows = size * noise(batch, window)
                torch.testing.assert_close(served(network, windows), network(windows), rtol=1e-5, atol=1e-5)


def check_adds_to_its_linear_path(name: str) -> None:
    """Before training it is the linear path; after, the serving path still gives what `forward` gives."""
    network = make(name, config=WITH_PATH)
    network.fit([noise(200)])
    assert network.linear is not None
    for batch in both_paths(network):
        windows = noise(batch)
        torch.testing.assert_close(network(windows), network.linear(windows))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    for batch in both_paths(network):
        torch.testing.assert_close(served(network, noise(batch)), network(noise(batch)), rtol=1e-5, atol=1e-5)


def check_training_leaves_the_linear_path_alone(name: str) -> None:
    """A step of training changes everything but what was fitted."""
    network = make(name, config=WITH_PATH).train()
    network.fit([noise(200)])
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(2):  # the first wakes the last layer, which starts at nothing
        optimiser.zero_grad()
        (network(noise(6)) - noise(6)).square().mean().backward()
        optimiser.step()
    same = {key for key, value in network.state_dict().items() if torch.equal(value, before[key])}
    assert same == {"linear.mean", "linear.basis"}


def check_sees_the_rows_of_its_config(name: str) -> None:
    """It sees and judges as many rows as the config says, and never more than the window has."""
    for window, rows, judged, expected in ((8, 4, 2, (4, 2)), (8, 0, 0, (8, 8)), (8, 9, 9, (8, 8)), (8, 5, 0, (5, 5))):
        network = make(name, window, config=NetworkConfig(hidden=4, latent=2, rows=rows, judged=judged))
        assert (network.rows, network.judged) == expected
        assert network(noise(2, network.rows)).shape == (2, network.rows, 3)


def check_windows_do_not_see_each_other(name: str) -> None:
    """A window comes out the same alone, among few and among many."""
    network = make(name)
    for batch in both_paths(network):
        windows = noise(batch)
        together = served(network, windows)
        for each in range(0, batch, 7):
            alone = served(network, windows[each : each + 1])[0]
            torch.testing.assert_close(alone, together[each], rtol=1e-6, atol=1e-6)


@torch.inference_mode()
def check_leaves_its_input_alone(name: str) -> None:
    """The serving path writes into nothing that it is given."""
    network = make(name)
    for batch in both_paths(network):
        windows = noise(batch).permute(1, 2, 0).contiguous()
        before = windows.clone()
        network.reconstruct(windows).zero_()
        assert torch.equal(windows, before)


def check_squeezes_through_the_latent_vector(name: str) -> None:
    """All that comes out depends on `latent` numbers: the Jacobian's rank is no higher."""
    network = make(name).double()
    window = noise(1).double()
    jacobian: Tensor = torch.autograd.functional.jacobian(network, window)  # type: ignore[no-untyped-call]
    assert torch.linalg.matrix_rank(jacobian.reshape(24, 24)).item() == SMALL.latent


def check_every_parameter_learns(name: str) -> None:
    """The loss reaches every parameter, so that none is carried for nothing."""
    network, windows = make(name).train(), noise(6)
    (network(windows) - windows).square().mean().backward()
    idle = [
        each for each, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert not idle


def check_trains_as_torch_does(name: str) -> None:
    """In training it gives what it gives in eval mode, where torch's layers are asked, and the same gradients."""
    for layers, (window, batch) in product((1, 2), ((8, 5), (9, 1), (4, 3))):
        found = []
        for training in (True, False):
            network = make(name, window, config=SMALL.model_copy(update={"layers": layers})).double().train(training)
            output = network(noise(batch, window).double())
            (output - noise(batch, window)).pow(3).sum().backward()
            found.append([output.detach(), *(parameter.grad for parameter in network.parameters())])
        torch.testing.assert_close(*found)


def check_learns(name: str) -> None:
    """A few steps on sine waves halve the error."""
    torch.manual_seed(3)
    network = build(name, 8, 2, NetworkConfig(hidden=16, latent=4)).train()
    phase = torch.rand(64, 1, 1) * 6.28
    waves = torch.sin(torch.arange(8.0).reshape(1, 8, 1) * 0.7 + phase + torch.tensor([0.0, 1.0]))
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = (network(waves) - waves).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def check_drops_out_in_training_only(name: str) -> None:
    """Dropout makes training outputs differ from each other, and serving ones never."""
    for layers in (1, 2):
        network, windows = make(name, config=NetworkConfig(hidden=8, latent=4, layers=layers, dropout=0.5)), noise(4)
        assert torch.equal(network(windows), network(windows))
        network.train()
        assert not torch.equal(network(windows), network(windows))


def check_the_seed_decides_the_weights(name: str) -> None:
    """The same seed makes the same tensors."""
    first, second = make(name).state_dict(), make(name).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


def check_refuses_or_builds_every_depth(name: str) -> None:
    """Each depth that a config may ask for is built, or refused with the key to change."""
    for layers in range(1, 9):
        try:
            network = make(name, 4, 1, NetworkConfig(hidden=2, latent=1, layers=layers))
        except TidewatchError as error:
            assert f"networks.{name}.layers is {layers}" in str(error)  # noqa: PT017  # some depths are fine
        else:
            assert served(network, noise(1, 4, 1)).shape == (1, 4, 1)


def check_says_which_names_there_are(name: str) -> None:
    """A name with a typo is refused with the names there are."""
    with pytest.raises(TidewatchError, match=name):
        build(f"{name}x", 8, 2, SMALL)


CHECKS: list[Callable[[str], None]] = [
    check_keeps_the_shape,
    check_serves_what_it_trained,
    check_adds_to_its_linear_path,
    check_training_leaves_the_linear_path_alone,
    check_sees_the_rows_of_its_config,
    check_windows_do_not_see_each_other,
    check_leaves_its_input_alone,
    check_squeezes_through_the_latent_vector,
    check_every_parameter_learns,
    check_trains_as_torch_does,
    check_learns,
    check_drops_out_in_training_only,
    check_the_seed_decides_the_weights,
    check_refuses_or_builds_every_depth,
    check_says_which_names_there_are,
]
