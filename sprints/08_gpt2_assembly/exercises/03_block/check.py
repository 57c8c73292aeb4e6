"""Checks of `layer_norm`, `attention` and `block`: beside PyTorch's own parts, and the usual mistakes by name."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

Part = Callable[[Tensor], Tensor]


class Weights(dict[str, Tensor]):
    """Weights by name, of which an error shows the shapes."""

    def __repr__(self) -> str:
        return ", ".join(f"{name} {tuple(weight.shape)}" for name, weight in self.items())


def draw(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator).mul(10).round().div(10)


def make_weights(d_model: int, generator: torch.Generator) -> Weights:
    weights = Weights()
    for name, inputs, outputs in (
        ("attn.c_attn", d_model, 3 * d_model), ("attn.c_proj", d_model, d_model),
        ("mlp.c_fc", d_model, 4 * d_model), ("mlp.c_proj", 4 * d_model, d_model),
    ):  # fmt: skip
        weights |= {f"{name}.weight": draw(generator, inputs, outputs), f"{name}.bias": draw(generator, outputs)}
    for name in ("ln_1", "ln_2"):
        weights |= {f"{name}.weight": 1 + draw(generator, d_model), f"{name}.bias": draw(generator, d_model)}
    return weights


def norm(x: Tensor, weights: Weights, name: str) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def attend(x: Tensor, weights: Weights, heads: int, causal: bool = True, order: tuple[int, ...] = (0, 1, 2)) -> Tensor:
    parts = (x @ weights["attn.c_attn.weight"] + weights["attn.c_attn.bias"]).chunk(3, dim=-1)
    query, key, value = (parts[place].unflatten(-1, (heads, -1)).transpose(1, 2) for place in order)
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal).transpose(1, 2).flatten(2)
    return mixed @ weights["attn.c_proj.weight"] + weights["attn.c_proj.bias"]


def feed(x: Tensor, weights: Weights, exact: bool = False) -> Tensor:
    hidden = x @ weights["mlp.c_fc.weight"] + weights["mlp.c_fc.bias"]
    hidden = functional.gelu(hidden, approximate="none" if exact else "tanh")
    return hidden @ weights["mlp.c_proj.weight"] + weights["mlp.c_proj.bias"]


def check_layer_norm(learner: Any) -> None:
    """Two tokens of four features, one of them with hardly any variance."""
    x = torch.tensor([[[1.0, 2, 3, 6], [0.001, 0.002, 0.003, 0.002]]])
    weight, bias = torch.tensor([1.0, 2, -1, 0.5]), torch.tensor([0.0, 0.1, 0.2, 0.3])
    away = x - x.mean(-1, keepdim=True)
    variance = away.square().mean(-1, keepdim=True)
    mistakes = {
        "Gain and bias are missing.": away / (variance + 1e-5).sqrt(),
        "The bias is missing.": away / (variance + 1e-5).sqrt() * weight,
        "The gain is missing.": away / (variance + 1e-5).sqrt() + bias,
        "The variance is divided by one less than the number of features; it is the mean of the squares.": (
            away / (x.var(-1, keepdim=True) + 1e-5).sqrt() * weight + bias
        ),
        "Epsilon is added to the standard deviation; it belongs under the root.": (
            away / (variance.sqrt() + 1e-5) * weight + bias
        ),
        "Epsilon is missing.": away / variance.sqrt() * weight + bias,
        "It divides by the variance; it must be its root.": away / (variance + 1e-5) * weight + bias,
        "The mean is not taken away.": x / (variance + 1e-5).sqrt() * weight + bias,
        "It runs over the tokens. Each token is normalised over its own features, the last axis.": (
            (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, correction=0) + 1e-5).sqrt() * weight + bias
        ),
    }
    expected = functional.layer_norm(x, (4,), weight, bias)
    expect(learner.layer_norm, {"x": x, "weight": weight, "bias": bias}, expected, mistakes)


def check_attention(learner: Any) -> None:
    """Three tokens, two heads of two features."""
    generator = torch.Generator().manual_seed(1)
    x, weights = draw(generator, 1, 3, 4), make_weights(4, generator)
    bare = Weights(weights | {"attn.c_proj.bias": torch.zeros(4)})
    unmixed = Weights(bare | {"attn.c_proj.weight": torch.eye(4)})
    mistakes = {
        "The future is not hidden.": attend(x, weights, 2, causal=False),
        "There is one head only: the features are not cut.": attend(x, weights, 1),
        "Queries and keys are exchanged: the parts are queries, keys, values, in this order.": (
            attend(x, weights, 2, order=(1, 0, 2))
        ),
        "The parts are queries, keys and values, in this order.": attend(x, weights, 2, order=(2, 1, 0)),
        "The output matrix c_proj is missing.": attend(x, unmixed, 2),
        "The bias of c_proj is missing.": attend(x, bare, 2),
        "The bias of c_attn is missing.": attend(x, Weights(weights | {"attn.c_attn.bias": torch.zeros(12)}), 2),
    }
    given = {"x": x, "weights": weights, "heads": 2}
    expect(learner.attention, given, attend(x, weights, 2), mistakes)


def compare(learner: Any, batch: int, tokens: int, d_model: int, heads: int) -> None:
    generator = torch.Generator().manual_seed(tokens)
    x, weights = draw(generator, batch, tokens, d_model), make_weights(d_model, generator)
    first, second = norm(x, weights, "ln_1"), attend(norm(x, weights, "ln_1"), weights, heads)
    middle = x + second
    right = middle + feed(norm(middle, weights, "ln_2"), weights)
    swapped = x + feed(norm(x, weights, "ln_2"), weights)
    after = norm(x + attend(x, weights, heads), weights, "ln_1")
    mistakes = {
        "The norms come after the addition (post-norm). In GPT-2 they come before each part.": (
            norm(after + feed(after, weights), weights, "ln_2")
        ),
        "There are no norms.": x + attend(x, weights, heads) + feed(x + attend(x, weights, heads), weights),
        "Nothing is added: the residual path is missing.": feed(norm(second, weights, "ln_2"), weights),
        "The feed-forward network replaces the path; its result is added to it.": (
            feed(norm(middle, weights, "ln_2"), weights)
        ),
        "What attention has found is not added to the path.": second + feed(norm(second, weights, "ln_2"), weights),
        "Both parts read the input of the block. The feed-forward network reads the path after attention.": (
            middle + feed(norm(x, weights, "ln_2"), weights)
        ),
        "The normalised copy is added instead of the path itself.": (
            first + second + feed(norm(first + second, weights, "ln_2"), weights)
        ),
        "The second norm is missing.": middle + feed(middle, weights),
        "The first norm is used twice.": middle + feed(norm(middle, weights, "ln_1"), weights),
        "The feed-forward network comes before attention.": (
            swapped + attend(norm(swapped, weights, "ln_1"), weights, heads)
        ),
        "It uses GELU itself and not the approximation by tanh.": (
            middle + feed(norm(middle, weights, "ln_2"), weights, exact=True)
        ),
        "The input of the block is added again at the end; the path already holds it.": x + right,
    }  # fmt: skip
    expect(learner.block, {"x": x, "weights": weights, "heads": heads}, right, mistakes)


def check_block(learner: Any) -> None:
    """A block of one head and two features."""
    compare(learner, 1, 3, 2, 1)


def check_block_with_heads_and_a_batch(learner: Any) -> None:
    """Two texts of four tokens, two heads."""
    compare(learner, 2, 4, 4, 2)
