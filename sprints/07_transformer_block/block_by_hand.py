"""What is an encoder block, with nothing hidden? One plain function of formulas, equal to `shared/nn/blocks.py`.

    uv run sprints/07_transformer_block/block_by_hand.py

The function sees tensors only: no module, no fused kernel, no library layer. Theory: notes/07_equal_to_pytorch.md
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.blocks import EncoderBlock, Norm
from shared.nn.masks import causal_mask, padding_mask

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 4  # rows
    tokens: AtLeastTwo = 12  # tokens of a row
    d_model: AtLeastTwo = 64  # features of a token
    heads: PositiveInt = 4  # attention heads

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.batch > self.tokens:
            raise ValueError(
                f"each row is padded by one token more; got --batch {self.batch} of --tokens {self.tokens}"
            )


@dataclass(frozen=True)
class Results:
    """The largest differences of outputs and of gradients, by placement of the norm and mask."""

    output: dict[str, float]
    gradient: dict[str, float]


def block_by_hand(x: Tensor, w: Weights, heads: int, norm: Norm, mask: Tensor) -> Tensor:
    """Return an encoder block's output for x (batch, tokens, d_model); the mask is True where a query may look."""

    def normalise(x: Tensor, norm_name: str) -> Tensor:
        centred = x - x.mean(dim=-1, keepdim=True)
        std = (centred.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()  # (batch, tokens, 1)
        return w[f"{norm_name}.weight"] * centred / std + w[f"{norm_name}.bias"]

    def attention(x: Tensor) -> Tensor:
        projected = x @ w["attention.qkv.weight"].T + w["attention.qkv.bias"]  # (batch, tokens, 3 d_model)
        q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in projected.chunk(3, dim=-1))
        scores = q @ k.mT / math.sqrt(q.shape[-1])  # (batch, heads, tokens, tokens)
        weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
        mixed = (weights @ v).transpose(1, 2).flatten(2)  # the heads side by side again
        return mixed @ w["attention.output.weight"].T + w["attention.output.bias"]

    def feed_forward(x: Tensor) -> Tensor:
        hidden = (x @ w["feed_forward.expand.weight"].T + w["feed_forward.expand.bias"]).clamp(min=0)  # ReLU
        return hidden @ w["feed_forward.contract.weight"].T + w["feed_forward.contract.bias"]

    if norm == "pre":
        x = x + attention(normalise(x, "attention_norm"))
        return x + feed_forward(normalise(x, "feed_forward_norm"))
    x = normalise(x + attention(x), "attention_norm")
    return normalise(x + feed_forward(x), "feed_forward_norm")


def gradient_difference(ours: Tensor, theirs: Tensor, direction: Tensor, weights: list[Tensor]) -> float:
    """Return the largest difference of the gradients, each as a share of the largest number in that gradient."""
    mine, other = (torch.autograd.grad((output * direction).sum(), weights) for output in (ours, theirs))
    return max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(mine, other, strict=True))


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shape = (config.batch, config.tokens, config.d_model)
    x, direction = (torch.randn(shape, generator=generator) for _ in range(2))
    lengths = torch.arange(config.tokens, config.tokens - config.batch, -1)
    everything = torch.ones(config.tokens, config.tokens, dtype=torch.bool)
    masks = {
        "no mask": everything,
        "causal": causal_mask(config.tokens),
        "padding": padding_mask(lengths, config.tokens),
    }
    output, gradient = {}, {}
    for norm in ("pre", "post"):
        block = EncoderBlock(config.d_model, config.heads, norm=norm)
        for parameter in block.parameters():
            nn.init.normal_(parameter, std=0.2)
        weights = dict(block.named_parameters())
        for name, mask in masks.items():
            ours = block_by_hand(x, weights, config.heads, norm, mask)
            theirs = block(x, mask)
            output[f"{norm}, {name}"] = (ours - theirs).abs().max().item()
            gradient[f"{norm}, {name}"] = gradient_difference(ours, theirs, direction, list(weights.values()))
    for case, difference in output.items():
        print(f"{case:<16} output differs by {difference:.1e}, gradients by {gradient[case]:.1e} of the largest")
    return Results(output, gradient)


if __name__ == "__main__":
    # What differs is rounding: only its size is the result.
    run(main, Config, tolerance={"*": Tolerance(absolute=1e-5)})
