"""What is attention? An average over the past that learns its weights, built up in steps.

    uv run sprints/06_multi_head_attention/build_up.py

Each step is written out once with loops, shown to equal the next, and the last equals `shared/nn/attention.py`. Theory:
notes/02_queries_keys_values.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import MultiHeadAttention, attend
from shared.nn.masks import causal_mask


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 2  # rows of a batch
    tokens: PositiveInt = 6  # tokens of a row
    d_model: PositiveInt = 16  # features of a token
    heads: PositiveInt = 4  # attention heads

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    differences: dict[str, float]
    weights: dict[str, list[list[float]]]


def average_by_loop(value: Tensor) -> Tensor:
    """Return for each token the average of all tokens up to it."""
    rows = [[row[: position + 1].mean(dim=0) for position in range(len(row))] for row in value]
    return torch.stack([torch.stack(row) for row in rows])


def average_by_matrix(value: Tensor) -> Tensor:
    """Return the same as a product: each row of the matrix holds the weights of one average."""
    past = causal_mask(value.shape[1]).to(value)
    return past / past.sum(dim=-1, keepdim=True) @ value


def average_by_softmax(value: Tensor) -> Tensor:
    """Return the same by softmax of equal scores: e^-inf = 0 hides the future."""
    scores = torch.zeros(value.shape[1], value.shape[1]).masked_fill(~causal_mask(value.shape[1]), -math.inf)
    return scores.softmax(dim=-1) @ value


def attention_by_loop(query: Tensor, key: Tensor, value: Tensor, scale: float = 1.0) -> Tensor:
    """Return causal attention one number at a time: score, exponential, share, weighted sum."""
    output = torch.zeros_like(value)
    for row in range(query.shape[0]):
        for asking in range(query.shape[1]):
            scores = [scale * sum(q * k for q, k in zip(query[row, asking], key[row, j], strict=True)).item()
                      for j in range(asking + 1)]  # fmt: skip
            # Subtracting the largest score changes nothing, since it cancels, and keeps the exponential finite.
            powers = [math.exp(score - max(scores)) for score in scores]
            for looked_at, power in enumerate(powers):
                output[row, asking] += power / sum(powers) * value[row, looked_at]
    return output


def attention_by_matrix(query: Tensor, key: Tensor, value: Tensor, scale: float = 1.0) -> Tensor:
    """Return the same by two products with a softmax between them."""
    scores = scale * query @ key.mT  # (batch, queries, keys)
    return scores.masked_fill(~causal_mask(query.shape[1]), -math.inf).softmax(dim=-1) @ value


def split(layer: MultiHeadAttention, x: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return queries, keys and values of each head: its own columns of the three projections."""
    projections = layer.qkv(x).chunk(3, dim=-1)
    return list(zip(*(projection.chunk(layer.heads, dim=-1) for projection in projections), strict=True))


def heads_by_loop(layer: MultiHeadAttention, x: Tensor) -> Tensor:
    """Return multi-head attention: one attention for each head, side by side, then mixed by the output matrix."""
    mixed = [attention_by_matrix(*parts, scale=parts[0].shape[-1] ** -0.5) for parts in split(layer, x)]
    return layer.output(torch.cat(mixed, dim=-1))


def heads_by_sum(layer: MultiHeadAttention, x: Tensor) -> Tensor:
    """Return the same as a sum: each head adds what it found through its own columns of the output matrix."""
    mixed = [attention_by_matrix(*parts, scale=parts[0].shape[-1] ** -0.5) for parts in split(layer, x)]
    columns = layer.output.weight.chunk(layer.heads, dim=1)
    return layer.output.bias + sum(head @ column.mT for head, column in zip(mixed, columns, strict=True))


def library_layer(layer: MultiHeadAttention, d_model: int) -> nn.MultiheadAttention:
    """Return PyTorch's layer with the same weights."""
    theirs = nn.MultiheadAttention(d_model, layer.heads, batch_first=True)
    pairs = ((theirs.in_proj_weight, layer.qkv.weight), (theirs.in_proj_bias, layer.qkv.bias),
             (theirs.out_proj.weight, layer.output.weight), (theirs.out_proj.bias, layer.output.bias))  # fmt: skip
    with torch.no_grad():
        for their_parameter, our_parameter in pairs:
            their_parameter.copy_(our_parameter)
    return theirs


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shape = (config.batch, config.tokens, config.d_model)
    query, key, value = (torch.randn(shape, generator=generator) for _ in range(3))
    layer, scale, past = MultiHeadAttention(config.d_model, config.heads), config.d_model**-0.5, causal_mask(shape[1])
    # `attend` has an axis for heads; here there is one.
    ours, weights = (tensor[:, 0] for tensor in attend(query[:, None], key[:, None], value[:, None], past))
    theirs = library_layer(layer, config.d_model)(value, value, value, attn_mask=~past, need_weights=False)[0]
    pairs = {
        "average: loop, matrix": (average_by_loop(value), average_by_matrix(value)),
        "average: matrix, softmax of equal scores": (average_by_matrix(value), average_by_softmax(value)),
        "softmax of equal scores, attention of a query of zeros": (
            average_by_softmax(value), attention_by_loop(torch.zeros_like(query), key, value)
        ),
        "attention without scale: loop, matrix": (
            attention_by_loop(query, key, value), attention_by_matrix(query, key, value)
        ),
        "attention with scale: loop, matrix": (
            attention_by_loop(query, key, value, scale), attention_by_matrix(query, key, value, scale)
        ),
        "attention with scale: matrix, `attend`": (attention_by_matrix(query, key, value, scale), ours),
        "`attend`, PyTorch's fused kernel": (
            ours, functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        ),
        "heads: loop, sum": (heads_by_loop(layer, value), heads_by_sum(layer, value)),
        "heads: sum, `MultiHeadAttention`": (heads_by_sum(layer, value), layer(value, causal=True)),
        "`MultiHeadAttention`, `nn.MultiheadAttention`": (layer(value, causal=True), theirs),
    }  # fmt: skip
    differences = {name: (first - second).abs().max().item() for name, (first, second) in pairs.items()}
    for name, difference in differences.items():
        print(f"{name:<58}{difference:.1e}")
    heads = layer.forward_with_weights(value, causal=True)[1][0]  # (heads, queries, keys)
    unscaled = (query[0] @ key[0].mT).masked_fill(~past, -math.inf).softmax(dim=-1)
    shown = {
        "average": past / past.sum(dim=-1, keepdim=True),
        "attention, no scale": unscaled,
        "attention, scaled": weights[0],
        "head 1 of the layer": heads[0],
        "head 2": heads[1 % config.heads],
    }
    return Results(differences, {name: rows.double().round(decimals=3).tolist() for name, rows in shown.items()})


def plot(results: Results) -> Figure:
    """Draw the weights of each step: one row for each query."""
    figure, axes = new_figure(12.0, 2.9, columns=len(results.weights))
    for panel, (name, weights) in zip(axes, results.weights.items(), strict=True):
        image = panel.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        panel.set(title=name, xlabel="key", ylabel="query")
        panel.grid(False)
    figure.colorbar(image, ax=axes[-1], label="weight")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
