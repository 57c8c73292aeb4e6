"""Checks of `DecoderBlock`: beside PyTorch's layer with the same weights, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.checking import expect


def with_random_weights(block: nn.Module) -> Any:
    """Give a block weights that hide nothing: no bias is zero, no gain is one."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return block


def twin(block: Any, d_model: int, heads: int) -> nn.Module:
    """Return PyTorch's layer with the weights of a block."""
    layer = nn.TransformerDecoderLayer(d_model, heads, 4 * d_model, 0.0, batch_first=True, norm_first=True)
    theirs = {
        "self_attn.in_proj_": block.self_attention.qkv,
        "self_attn.out_proj.": block.self_attention.output,
        "multihead_attn.in_proj_": block.cross_attention.qkv,
        "multihead_attn.out_proj.": block.cross_attention.output,
        "linear1.": block.feed_forward.expand,
        "linear2.": block.feed_forward.contract,
        "norm1.": block.self_attention_norm,
        "norm2.": block.cross_attention_norm,
        "norm3.": block.feed_forward_norm,
    }
    layer.load_state_dict(
        {f"{name}{kind}": getattr(part, kind) for name, part in theirs.items() for kind in ("weight", "bias")}
    )
    return layer


def mistakes(block: Any, x: Tensor, memory: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    norm_1, norm_2, norm_3 = block.self_attention_norm, block.cross_attention_norm, block.feed_forward_norm
    itself, across, think = block.self_attention, block.cross_attention, block.feed_forward

    def finish(x: Tensor) -> Tensor:
        return x + think(norm_3(x))

    def cross(x: Tensor) -> Tensor:
        return x + across(norm_2(x), memory, mask)

    first = x + itself(norm_1(x), causal=True)
    post = norm_1(x + itself(x, causal=True))
    post = norm_2(post + across(post, memory, mask))
    found = {
        "The self-attention sees the future: what is still to be written. It needs causal=True.": (
            finish(cross(x + itself(norm_1(x))))
        ),
        "The padding of the memory is not hidden: hand memory_mask on.": finish(first + across(norm_2(first), memory)),
        "The mask of the memory is inverted.": finish(first + across(norm_2(first), memory, ~mask)),
        "The memory is normalised as well; it comes normalised from the encoder.": (
            finish(first + across(norm_2(first), norm_2(memory), mask))
        ),
        "The second attention looks at x; it must look at the memory.": finish(first + across(norm_2(first))),
        "The second attention looks at x, and only back; it must look at the memory.": (
            finish(first + across(norm_2(first), causal=True))
        ),
        "There is no attention to the memory.": finish(first),
        "The memory is looked at before what was written: exchange the two attentions.": (
            finish((y := cross(x)) + itself(norm_1(y), causal=True))
        ),
        "This is post-norm: the norm comes after the addition.": norm_3(post + think(post)),
        "Cross-attention reads the x from before self-attention; it must read the new one.": (
            finish(first + across(norm_2(x), memory, mask))
        ),
        "The addition around cross-attention is missing.": finish(across(norm_2(first), memory, mask)),
        "Cross-attention adds to the x from before self-attention; it must add to the new one.": (
            finish(x + across(norm_2(first), memory, mask))
        ),
        "The norm before cross-attention is missing.": finish(first + across(first, memory, mask)),
        "The feed-forward network, or the addition behind it, is missing.": cross(first),
    }
    if x.shape == memory.shape:
        found["The memory asks and x answers; queries must come from x."] = finish(
            first + across(memory, norm_2(first))
        )
    return found


def compare(learner: Any, targets: int, lengths: list[int], d_model: int, heads: int) -> None:
    block = with_random_weights(learner.DecoderBlock(d_model, heads))
    source, generator = max(lengths), torch.Generator().manual_seed(targets)
    x, memory = (
        torch.randn(len(lengths), tokens, d_model, generator=generator).mul(10).round().div(10)
        for tokens in (targets, source)
    )
    real = torch.arange(source) < torch.tensor(lengths)[:, None]
    future = torch.ones(targets, targets, dtype=torch.bool).triu(1)
    given = {"x": x, "memory": memory, "memory_mask": real[:, None, None]}
    with torch.no_grad():
        expected = twin(block, d_model, heads)(x, memory, tgt_mask=future, memory_key_padding_mask=~real)
        expect(block.forward, given, expected, mistakes(block, *given.values()))


def check_a_small_block(learner: Any) -> None:
    """Two words are written about three; nothing is padded."""
    compare(learner, 2, [3], 4, 1)


def check_padding_in_the_memory(learner: Any) -> None:
    """Of two sources one is shorter: nobody looks at its padding."""
    compare(learner, 3, [4, 2], 8, 2)


def check_as_many_words_as_in_the_source(learner: Any) -> None:
    """Target and source are of the same length, so that no shape tells them apart."""
    compare(learner, 3, [3, 3], 4, 2)
