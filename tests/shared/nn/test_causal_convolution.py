import pytest
import torch
from torch import nn

from shared.checks.streaming import check_streaming
from shared.nn.causal_convolution import CausalConvolution


def build(features=3, kernel=4, bias=True):
    torch.manual_seed(0)
    return CausalConvolution(features, kernel, bias).double(), torch.randn(2, 7, features, dtype=torch.float64)


@pytest.mark.parametrize("kernel", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_equals_the_library_in_outputs_and_gradients(kernel, bias):
    layer, x = build(kernel=kernel, bias=bias)
    theirs = nn.Conv1d(3, 3, kernel, groups=3, padding=kernel - 1, bias=bias).double()
    weights = {name: value.view_as(theirs.get_parameter(name)) for name, value in layer.state_dict().items()}
    theirs.load_state_dict(weights)
    weight = torch.randn(2, 7, 3, dtype=torch.float64)
    ours, _ = layer(x)
    expected = theirs(x.mT)[..., :7].mT
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)
    (ours * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(layer.weight.grad, theirs.weight.grad[:, 0], atol=1e-12, rtol=0)
    if bias:
        gradient = theirs.get_parameter("bias").grad
        torch.testing.assert_close(layer.get_parameter("bias").grad, gradient, atol=1e-12, rtol=0)


def test_cuts_make_no_difference():
    layer, x = build()
    check_streaming(layer, x, tolerance=1e-12)


@pytest.mark.parametrize("real", [[0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]])
def test_padding_on_any_side_is_not_there(real):
    layer, x = build()
    _, before = layer(x[:, :2])
    x, mask = x[:, 2:], torch.tensor([real, [1] * 5]).bool()
    output, state = layer(x, before, mask)
    assert output[0][~mask[0]].eq(0).all()
    kept = x[:1, mask[0]]
    if kept.shape[1]:
        alone, last = layer(kept, (before[0][:1],))
        torch.testing.assert_close(output[:1, mask[0]], alone)
        torch.testing.assert_close(state[0][:1], last[0])
    else:
        torch.testing.assert_close(state[0][:1], before[0][:1])
    whole, last = layer(x[1:], (before[0][1:],))
    torch.testing.assert_close(output[1:], whole)
    torch.testing.assert_close(state[0][1:], last[0])


def test_weights_begin_as_those_of_the_library():
    torch.manual_seed(0)
    ours, theirs = CausalConvolution(2000, 4), nn.Conv1d(2000, 2000, 4, groups=2000)
    for name, parameter in theirs.named_parameters():
        assert ours.get_parameter(name).std().item() == pytest.approx(parameter.std().item(), rel=0.05)


def test_the_future_is_not_seen():
    layer, x = build()
    changed = x.clone()
    changed[:, 4] += 1
    moved = (layer(changed)[0] - layer(x)[0]).abs().amax(dim=(0, 2))
    assert moved[:4].max() == 0
    assert (moved[4:] > 0).all()


def test_what_does_not_fit_is_refused():
    layer, x = build()
    with pytest.raises(ValueError, match="at least 1; got 3 and 0"):
        CausalConvolution(3, 0)
    with pytest.raises(ValueError, match="at least one token, of 3 features"):
        layer(x[:, :0])
    with pytest.raises(ValueError, match=r"must have the shapes \[\(2, 3, 3\)\]"):
        layer(x, (x.new_zeros(1, 3, 3),))
