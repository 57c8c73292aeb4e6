"""The path itself is normalised."""

from pathlib import Path

from torch import Tensor

from shared.lab.modules import load_module

right = load_module(Path(__file__).parents[1] / "solution.py")


def block(x: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    x = right.layer_norm(x, weights["ln_1.weight"], weights["ln_1.bias"])
    x = x + right.attention(x, weights, heads)
    return x + right.mlp(right.layer_norm(x, weights["ln_2.weight"], weights["ln_2.bias"]), weights)
