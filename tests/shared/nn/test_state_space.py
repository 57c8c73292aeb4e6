import math

import numpy as np
import pytest
import torch
from scipy.signal import cont2discrete, dlsim
from sequence_layer_examples import check_layer, check_ways

from shared.nn.state_space import S4D, convolve, zero_order_hold

WAYS = ["convolution", "tokens", "scan", "chunks"]


def build(way="convolution", d_model=5, d_state=6):
    torch.manual_seed(0)
    layer = S4D(d_model, d_state, way)
    with torch.no_grad():
        layer.log_step.uniform_(math.log(0.05), math.log(0.5))  # so that a few tokens are enough to see it fade
        layer.frequency.mul_(0.3).add_(0.1 * torch.rand_like(layer.frequency))
    return layer.double()


def test_a_convolution_by_hand():
    x = torch.tensor([[1.0, 0.0, 2.0]]).unsqueeze(-1)
    kernel = torch.tensor([[3.0, 2.0, 1.0]])
    torch.testing.assert_close(convolve(x, kernel).flatten(), torch.tensor([3.0, 2.0, 7.0]))


@pytest.mark.parametrize("tokens", [1, 2, 7])
def test_a_convolution_is_its_sum_and_never_looks_ahead(tokens):
    x, kernel = torch.randn(2, tokens, 3, dtype=torch.float64), torch.randn(3, tokens, dtype=torch.float64)
    expected = torch.zeros_like(x)
    for t in range(tokens):
        for s in range(t + 1):
            expected[:, t] += kernel[:, s] * x[:, t - s]
    torch.testing.assert_close(convolve(x, kernel), expected)


def test_the_state_space_is_that_of_scipy():
    layer = build(d_model=2, d_state=4)
    x = torch.randn(1, 9, 2, dtype=torch.float64)
    answer, _ = layer.by_convolution(x, None)
    poles = torch.complex(-layer.log_damping.exp(), layer.frequency).detach().numpy()
    readout = torch.view_as_complex(layer.readout).detach().numpy()
    for feature in range(2):
        # modes as pairs of real numbers: twice the real part of C h is (2 Re C, -2 Im C) times (Re h, Im h)
        blocks = np.zeros((4, 4))
        for mode, pole in enumerate(poles[feature]):
            blocks[2 * mode : 2 * mode + 2, 2 * mode : 2 * mode + 2] = [[pole.real, -pole.imag], [pole.imag, pole.real]]
        inward = np.array([[1.0], [0], [1], [0]])
        outward = np.stack([2 * readout[feature].real, -2 * readout[feature].imag], axis=1).reshape(1, 4)
        step = layer.log_step[feature].exp().item()
        system = cont2discrete((blocks, inward, outward, np.zeros((1, 1))), step, method="zoh")
        # scipy reads the state in front of an input, we read it behind: its answer comes one step later
        _, expected, _ = dlsim(system, np.append(x[0, :, feature].numpy(), 0.0))
        np.testing.assert_allclose(answer[0, :, feature].detach().numpy(), expected[1:, 0], atol=1e-10)


def test_the_hold_is_the_integral_of_a_constant_input():
    step, poles = torch.tensor([0.5]), torch.tensor([[-2.0 + 0j]])
    decay, scale = zero_order_hold(step, poles)
    assert decay.real.item() == pytest.approx(math.exp(-1))
    assert scale.real.item() == pytest.approx((1 - math.exp(-1)) / 2)


def test_the_kernel_is_the_answer_to_a_single_one():
    layer = build("tokens")
    x = torch.zeros(1, 8, 5, dtype=torch.float64)
    x[0, 0] = 1.0
    answer, _ = layer.by_recurrence(x, None, None)
    torch.testing.assert_close(answer[0].mT, layer.kernel(8))


def test_it_begins_with_the_eigenvalues_of_s4d_lin():
    layer = S4D(3, 8)
    assert layer.log_damping.exp().unique().tolist() == [0.5]
    torch.testing.assert_close(layer.frequency[1], math.pi * torch.arange(4.0))
    assert layer.log_step.exp().min() >= 1e-3
    assert layer.log_step.exp().max() <= 1e-1


@pytest.mark.parametrize("way", WAYS)
def test_the_layer_is_the_same_in_pieces_and_takes_no_notice_of_padding(way):
    check_layer(build(way), 5)


def test_a_convolution_holds_no_states_unless_there_is_padding(monkeypatch):
    layer, x = build(), torch.randn(2, 3, 5, dtype=torch.float64)
    monkeypatch.setattr(layer, "by_recurrence", None)
    layer(x)
    with pytest.raises(TypeError):
        layer(x, None, torch.ones(2, 3, dtype=torch.bool))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_the_layer_has_the_same_gradients_by_each_way(dtype, tolerance):
    check_ways(build, WAYS, 5, dtype, tolerance)


def test_sizes_that_do_not_exist_are_refused():
    for sizes in ((0, 2), (3, 0), (3, 5)):
        with pytest.raises(ValueError, match="d_state even: each mode has two numbers; got"):
            S4D(*sizes)
    assert S4D(1, 2)(torch.zeros(1, 1, 1))[0].shape == (1, 1, 1)  # the smallest there is
    with pytest.raises(ValueError, match="the shapes"):
        S4D(3, 4)(torch.zeros(2, 3, 3), (torch.zeros(1, 3, 2, dtype=torch.complex64),))
