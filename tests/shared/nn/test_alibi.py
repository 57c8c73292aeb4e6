"""ALiBi: the weights of BLOOM and of MPT, distances alone, and the cache."""

import pytest
import torch

from shared.nn.alibi import AlibiAttention, alibi_bias, alibi_slopes
from shared.nn.cache import KeyValueCache


@pytest.mark.parametrize("heads", [1, 4, 6, 8, 12])
def test_slopes_and_weights_are_those_of_bloom(heads: int):
    from transformers.models.bloom.modeling_bloom import build_alibi_tensor

    real = torch.tensor([[True] * 9, [False] * 3 + [True] * 6])
    theirs = build_alibi_tensor(real.long(), heads, torch.float32).view(2, heads, 1, 9)
    scores = torch.randn(2, heads, 9, 9, generator=torch.Generator().manual_seed(0))
    seen = torch.ones(9, 9, dtype=torch.bool).tril() & real[:, None, None]
    biases = (alibi_bias(alibi_slopes(heads), 9, 9), theirs)
    weights = [(scores + bias).masked_fill(~seen, -1e9).softmax(-1) for bias in biases]
    for ours, other in zip(*(weight[real[:, None].expand(2, heads, 9)] for weight in weights), strict=True):
        torch.testing.assert_close(ours, other)  # their biases differ from ours by a number for each query


def test_attention_and_gradients_are_those_of_mpt_with_padding():
    from transformers import MptConfig
    from transformers.models.mpt.modeling_mpt import MptAttention, build_mpt_alibi_tensor

    torch.manual_seed(0)
    ours, theirs = AlibiAttention(24, 6), MptAttention(MptConfig(d_model=24, n_heads=6, max_seq_len=9))
    theirs.Wqkv.weight.data, theirs.out_proj.weight.data = ours.qkv.weight.data.clone(), ours.output.weight.data.clone()
    real = torch.tensor([[True] * 9, [False] * 3 + [True] * 6, [True] * 7 + [False] * 2])
    x, weights = torch.randn(2, 3, 9, 24)
    seen = torch.ones(9, 9, dtype=torch.bool).tril() & real[:, None, None]
    outputs = [
        ours(x, real[:, None, None]),
        theirs(x, build_mpt_alibi_tensor(6, 9), attention_mask=~seen)[0],
    ]
    torch.testing.assert_close(outputs[0][real], outputs[1][real], atol=1e-5, rtol=0)
    for output in outputs:
        (output * weights)[real].sum().backward()
    torch.testing.assert_close(ours.qkv.weight.grad, theirs.Wqkv.weight.grad, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.output.weight.grad, theirs.out_proj.weight.grad, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 3], [7]])
def test_cache_equals_no_cache_with_padding_on_the_left(pieces: list[int]):
    torch.manual_seed(0)
    attention, x = AlibiAttention(16, 4), torch.randn(2, 7, 16)
    real = torch.arange(7) >= torch.tensor([[0], [3]])
    cache, found = KeyValueCache(2, 4, 7, 4), []
    for part in x.split(pieces, dim=1):
        found.append(attention(part, real[:, None, None, : cache.length + part.shape[1]], cache))
    expected = attention(x, real[:, None, None])
    torch.testing.assert_close(torch.cat(found, dim=1)[real], expected[real], atol=1e-5, rtol=0)
    assert not expected[1, 0].any(), "a query that may look nowhere gets zeros"
    torch.testing.assert_close(attention(x[1:, 3:])[0], expected[1, 3:], atol=1e-5, rtol=0)


def test_bias_is_by_distance_and_heads_are_refused():
    bias = alibi_bias(torch.tensor([0.5, 0.25]), 2, 4)
    assert bias.tolist() == [[[-1, -0.5, 0, 0], [-1.5, -1, -0.5, 0]], [[-0.5, -0.25, 0, 0], [-0.75, -0.5, -0.25, 0]]]
    with pytest.raises(ValueError, match="got 0: give 1 or more"):
        alibi_slopes(0)
    with pytest.raises(ValueError, match="multiple of heads"):
        AlibiAttention(10, 4)
