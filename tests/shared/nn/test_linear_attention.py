import math

import pytest
import torch
from sequence_layer_examples import check_layer, check_ways
from torch.nn import functional

from shared.nn.linear_attention import (
    LinearAttention,
    attend_by_scan,
    attend_by_tokens,
    attend_in_chunks,
    pairwise_decays,
)

EACH_DECAY = pytest.mark.parametrize("decay", ["none", "fixed", "gated"])
WAYS = ["tokens", "scan", "chunks"]


def draw(tokens, head_dim=4, features=3):
    """Return query, key, value, log_decay and a state, with gradients."""
    torch.manual_seed(tokens)
    shapes = [(2, 2, tokens, head_dim)] * 2 + [(2, 2, tokens, features), (2, 2, tokens), (2, 2, head_dim, features)]
    drawn = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    drawn[3] = -drawn[3].abs()
    return [tensor.requires_grad_() for tensor in drawn]


@pytest.mark.parametrize("tokens", [1, 2, 5, 11])
def test_all_three_are_the_same_and_so_are_their_gradients(tokens):
    given = draw(tokens)

    def everything(way, *arguments):
        output, last = way(*given, *arguments)
        return [output, last, *torch.autograd.grad(output.pow(3).sum() + last.pow(2).sum(), given)]

    expected = everything(attend_by_tokens)
    for others in (everything(attend_by_scan), *(everything(attend_in_chunks, chunk) for chunk in (1, 3, 4, 64))):
        for one, other in zip(others, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_without_decay_it_is_attention_without_a_softmax():
    query, key, value, _, _ = draw(6)
    expected = (query @ key.mT).tril() @ value
    for way in (attend_by_tokens, attend_by_scan, attend_in_chunks):
        torch.testing.assert_close(way(query, key, value, torch.zeros_like(key[..., 0]))[0], expected)


def test_pairwise_decays_by_hand():
    so_far = torch.tensor([0.5, 0.1, 0.5]).log().cumsum(0)
    torch.testing.assert_close(pairwise_decays(so_far), torch.tensor([[1, 0, 0], [0.1, 1, 0], [0.05, 0.5, 1]]))
    # a fast decay: exp of the hidden half would overflow, and spoil the gradient
    so_far = torch.full((4,), -500.0).cumsum(0).requires_grad_()
    pairwise_decays(so_far).sum().backward()
    assert so_far.grad is not None
    assert so_far.grad.isfinite().all()


@EACH_DECAY
def test_the_layer_is_the_same_in_pieces_and_takes_no_notice_of_padding(decay):
    torch.manual_seed(0)
    for way in WAYS:
        check_layer(LinearAttention(6, 2, decay, way).double(), 6)


@EACH_DECAY
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_the_layer_has_the_same_gradients_by_each_way(decay, dtype, tolerance):
    torch.manual_seed(0)
    check_ways(lambda way: LinearAttention(6, 2, decay, way), WAYS, 6, dtype, tolerance)


@EACH_DECAY
def test_the_layer_is_a_mean_with_positive_weights(decay):
    torch.manual_seed(0)
    layer = LinearAttention(4, 1, decay).double()
    x = torch.randn(1, 5, 4, dtype=torch.float64)
    query, key, value = layer.qkv(x).chunk(3, dim=-1)
    decays = layer.log_decays(x)[0, 0].exp()
    weights = torch.zeros(5, 5, dtype=torch.float64)
    for i in range(5):
        for j in range(i + 1):
            similarity = (functional.elu(query[0, i]) + 1) @ (functional.elu(key[0, j]) + 1)
            weights[i, j] = similarity * decays[j + 1 : i + 1].prod()
    weights = weights / weights.sum(dim=1, keepdim=True)
    torch.testing.assert_close(layer(x)[0][0], layer.output(weights @ value[0]))


def test_weights_far_below_one_make_a_mean_too():
    layer = LinearAttention(2, 1)
    with torch.no_grad():
        layer.qkv.weight.copy_(torch.tensor([[-3.0, 0], [-3, 0], [-3, 0], [-3, 0], [1, 0], [1, 0]]))
        layer.output.weight.copy_(torch.eye(2))
    output, _ = layer(torch.ones(1, 3, 2))  # each weight is 2 exp(-6), each value 1
    torch.testing.assert_close(output, torch.ones(1, 3, 2))


def test_gated_decays_begin_short_and_long():
    gate = LinearAttention(64, 64, "gated").gate
    assert gate is not None
    assert 0.73 < gate.bias.sigmoid().min() < 0.85
    assert 0.99 < gate.bias.sigmoid().max() < 0.9976


def test_fixed_decays_are_those_of_retnet():
    decays = LinearAttention(8, 4, "fixed").log_decays(torch.zeros(1, 2, 8)).exp()
    assert decays[0, :, 1].tolist() == pytest.approx([1 - 1 / 32, 1 - 1 / 64, 1 - 1 / 128, 1 - 1 / 256])


def test_gated_decays_are_a_sigmoid():
    layer = LinearAttention(2, 1, "gated")
    assert layer.gate is not None
    with torch.no_grad():
        layer.gate.weight.copy_(torch.tensor([[1.0, 0.0]]))
        layer.gate.bias.fill_(0.5)
    assert layer.log_decays(torch.tensor([[[2.0, 7.0]]])).exp().item() == pytest.approx(1 / (1 + math.exp(-2.5)))


def test_sizes_that_do_not_exist_are_refused():
    for sizes in ((6, 4), (0, 1), (6, 0)):
        with pytest.raises(ValueError, match="multiple of heads; got"):
            LinearAttention(*sizes)
    with pytest.raises(ValueError, match="the shapes"):
        LinearAttention(6, 2)(torch.zeros(2, 3, 6), (torch.zeros(1, 2, 3, 4),))
