"""Blocks equal PyTorch's layers and GPT-2's block, weights copied across."""

import pytest
import torch
from torch import nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import DecoderBlock, EncoderBlock, FeedForward, GPTBlock
from shared.nn.masks import causal_mask, padding_mask

BATCH, TOKENS, D_MODEL, HEADS, D_HIDDEN = 2, 6, 16, 4, 24
PADDING = padding_mask(torch.tensor([6, 3]), TOKENS)


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    ours.qkv.weight.copy_(theirs.in_proj_weight)
    ours.qkv.bias.copy_(theirs.in_proj_bias)
    ours.output.load_state_dict(theirs.out_proj.state_dict())


@torch.no_grad()
def shake(module: nn.Module) -> None:
    """Give biases and norms values that a forgotten one would show."""
    for parameter in module.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_encoder_block_equals_pytorch(norm: str, activation: str, masked: bool, causal: bool):
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        D_MODEL, HEADS, D_HIDDEN, 0.0, activation, batch_first=True, norm_first=norm == "pre"
    )
    shake(theirs)
    ours = EncoderBlock(D_MODEL, HEADS, D_HIDDEN, norm=norm, activation=activation)
    with torch.no_grad():
        copy_attention(ours.attention, theirs.self_attn)
    ours.feed_forward.expand.load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward.contract.load_state_dict(theirs.linear2.state_dict())
    ours.attention_norm.load_state_dict(theirs.norm1.state_dict())
    ours.feed_forward_norm.load_state_dict(theirs.norm2.state_dict())
    x = torch.randn(BATCH, TOKENS, D_MODEL)
    expected = theirs(
        x,
        src_mask=~causal_mask(TOKENS) if causal else None,
        src_key_padding_mask=~PADDING[:, 0, 0] if masked else None,
    )
    found = ours(x, PADDING if masked else None, causal)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    for output in (found, expected):
        output.square().sum().backward()
    torch.testing.assert_close(
        ours.attention.qkv.weight.grad, theirs.self_attn.in_proj_weight.grad, atol=1e-3, rtol=1e-4
    )
    torch.testing.assert_close(ours.feed_forward.expand.weight.grad, theirs.linear1.weight.grad, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("masked", [False, True])
def test_decoder_block_equals_pytorch(norm: str, masked: bool):
    torch.manual_seed(0)
    theirs = nn.TransformerDecoderLayer(D_MODEL, HEADS, D_HIDDEN, 0.0, batch_first=True, norm_first=norm == "pre")
    shake(theirs)
    ours = DecoderBlock(D_MODEL, HEADS, D_HIDDEN, norm=norm)
    with torch.no_grad():
        copy_attention(ours.self_attention, theirs.self_attn)
        copy_attention(ours.cross_attention, theirs.multihead_attn)
    ours.feed_forward.expand.load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward.contract.load_state_dict(theirs.linear2.state_dict())
    ours.self_attention_norm.load_state_dict(theirs.norm1.state_dict())
    ours.cross_attention_norm.load_state_dict(theirs.norm2.state_dict())
    ours.feed_forward_norm.load_state_dict(theirs.norm3.state_dict())
    x, memory = torch.randn(BATCH, 5, D_MODEL), torch.randn(BATCH, TOKENS, D_MODEL)
    targets = padding_mask(torch.tensor([5, 4]), 5)
    expected = theirs(
        x,
        memory,
        tgt_mask=~causal_mask(5),
        tgt_key_padding_mask=~targets[:, 0, 0] if masked else None,
        memory_key_padding_mask=~PADDING[:, 0, 0] if masked else None,
    )
    found = ours(x, memory, targets if masked else None, PADDING if masked else None)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    for output in (found, expected):
        output.square().sum().backward()
    mine, yours = ours.cross_attention.qkv.weight.grad, theirs.multihead_attn.in_proj_weight.grad
    torch.testing.assert_close(mine, yours, atol=1e-3, rtol=1e-4)


def test_feed_forward_acts_on_each_token_alone():
    torch.manual_seed(0)
    network, x = FeedForward(D_MODEL, D_HIDDEN), torch.randn(BATCH, TOKENS, D_MODEL)
    shuffled = torch.randperm(TOKENS)
    torch.testing.assert_close(network(x[:, shuffled]), network(x)[:, shuffled])


def test_gpt_block_is_causal_and_encoder_block_is_not():
    torch.manual_seed(0)
    x = torch.randn(1, TOKENS, D_MODEL)
    changed = x.clone()
    changed[:, -1] += 1
    for block, moves in ((GPTBlock(D_MODEL, HEADS), False), (EncoderBlock(D_MODEL, HEADS), True)):
        past = (block(changed) - block(x))[:, :-1].abs().max().item()
        assert (past > 1e-6) == moves


@pytest.mark.parametrize(("kind", "pre"), [(EncoderBlock, False), (DecoderBlock, False), (GPTBlock, True)])
def test_defaults_are_those_of_the_papers(kind: type[nn.Module], pre: bool):
    block = kind(D_MODEL, HEADS)
    assert block.pre_norm == pre
    assert block.feed_forward.expand.out_features == 4 * D_MODEL
    for part in block.modules():
        if isinstance(part, nn.LayerNorm):
            assert part.eps == 1e-5
        elif isinstance(part, nn.Dropout):
            assert part.p == 0
        elif isinstance(part, MultiHeadAttention):
            assert part.dropout == 0
    assert FeedForward(D_MODEL, D_HIDDEN).dropout.p == 0


@pytest.mark.usefixtures("unchecked")
def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="relu, gelu, gelu_tanh; got 'swish'"):
        FeedForward(4, 8, "swish")
    for kind in (EncoderBlock, DecoderBlock, GPTBlock):
        with pytest.raises(ValueError, match="'pre' or 'post'; got 'middle'"):
            kind(4, 2, norm="middle")
