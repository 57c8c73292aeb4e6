"""Checks of `EncoderBlock`: beside PyTorch's layer with the same weights, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.checking import expect


def with_random_weights(block: nn.Module) -> Any:
    """Give a block weights that hide nothing: no bias is zero, no gain is one."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return block


def twin(block: Any, d_model: int, heads: int) -> nn.Module:
    """Return PyTorch's layer with the weights of a block."""
    layer = nn.TransformerEncoderLayer(d_model, heads, 4 * d_model, 0.0, batch_first=True, norm_first=True)
    theirs = {
        "self_attn.in_proj": block.attention.qkv,
        "self_attn.out_proj": block.attention.output,
        "linear1": block.feed_forward.expand,
        "linear2": block.feed_forward.contract,
        "norm1": block.attention_norm,
        "norm2": block.feed_forward_norm,
    }
    state = {}
    for name, part in theirs.items():
        separator = "_" if name.endswith("in_proj") else "."
        state |= {f"{name}{separator}weight": part.weight, f"{name}{separator}bias": part.bias}
    layer.load_state_dict(state)
    return layer


def mistakes(block: Any, x: Tensor, causal: bool) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""

    def attention(x: Tensor) -> Tensor:
        return block.attention(x, causal=causal)

    norm_1, norm_2, feed_forward = block.attention_norm, block.feed_forward_norm, block.feed_forward
    first = x + attention(norm_1(x))
    normalised = norm_1(x)
    on_the_path = normalised + attention(normalised)
    bare = x + attention(x)
    post = norm_1(bare)
    return {
        "This is post-norm: the norm comes after the addition. Pre-norm reads norm(x) and adds to x.": (
            norm_2(post + feed_forward(post))
        ),
        "There are no residual connections: x must be added to what each part returns.": (
            feed_forward(norm_2(attention(norm_1(x))))
        ),
        "The first residual connection is missing.": ((y := attention(norm_1(x))) + feed_forward(norm_2(y))),
        "The second residual connection is missing.": feed_forward(norm_2(first)),
        "The norm stands on the residual path: the x that is added must be the one before the norm.": (
            (z := norm_2(on_the_path)) + feed_forward(z)
        ),
        "The second addition takes the x from before attention; it must take the new one.": (
            x + feed_forward(norm_2(first))
        ),
        "The feed-forward network reads the x from before attention; it must read the new one.": (
            first + feed_forward(norm_2(x))
        ),
        "There are no norms.": bare + feed_forward(bare),
        "The first norm is missing.": bare + feed_forward(norm_2(bare)),
        "The second norm is missing.": first + feed_forward(first),
        "The two norms are exchanged, or one of them is used twice.": (
            (w := x + attention(norm_2(x))) + feed_forward(norm_1(w))
        ),
        "The first norm is used twice: each part has its own.": first + feed_forward(norm_1(first)),
        "The norm comes after the part instead of before it: x + norm(part(x)).": (
            (v := x + norm_1(attention(x))) + norm_2(feed_forward(v))
        ),
        "`causal` is not handed on to attention.": (
            (u := x + block.attention(norm_1(x), causal=not causal)) + feed_forward(norm_2(u))
        ),
        "The feed-forward network comes first; attention must.": (
            (t := x + feed_forward(norm_2(x))) + attention(norm_1(t))
        ),
        "Only attention is there.": first,
    }


def compare(learner: Any, tokens: int, d_model: int, heads: int, causal: bool) -> None:
    block = with_random_weights(learner.EncoderBlock(d_model, heads))
    x = torch.randn(2, tokens, d_model, generator=torch.Generator().manual_seed(tokens)).mul(10).round().div(10)
    hidden = torch.ones(tokens, tokens, dtype=torch.bool).triu(1) if causal else None
    with torch.no_grad():
        expected = twin(block, d_model, heads)(x, src_mask=hidden)
        expect(block.forward, {"x": x, "causal": causal}, expected, mistakes(block, x, causal))


def check_a_small_block(learner: Any) -> None:
    """Two texts of three tokens of four features, one head."""
    compare(learner, 3, 4, 1, causal=False)


def check_two_heads(learner: Any) -> None:
    """Five tokens of eight features, two heads."""
    compare(learner, 5, 8, 2, causal=False)


def check_a_causal_block(learner: Any) -> None:
    """With the future hidden, it is a block of a GPT."""
    compare(learner, 4, 8, 2, causal=True)


def check_additions_alone(learner: Any) -> None:
    """Parts that return nothing but zeros leave x as it is."""
    block = with_random_weights(learner.EncoderBlock(4, 1))
    with torch.no_grad():
        for part in (block.attention.output, block.feed_forward.contract):
            part.weight.zero_()
            part.bias.zero_()
        x = torch.tensor([[[1.0, 2, 3, -2], [0, 0, 1, 0]]])
        norm_1, norm_2 = block.attention_norm, block.feed_forward_norm
        nothing = torch.zeros_like(x)
        mistakes = {
            "There are no residual connections: x must be added to what each part returns.": nothing,
            "A norm stands on the residual path: x comes out normalised.": norm_2(norm_1(x)),
            "The norm comes after the part instead of before it: x + norm(part(x)).": x
            + norm_1(nothing)
            + norm_2(nothing),
        }
        expect(block.forward, {"x": x, "causal": False}, x, mistakes)
