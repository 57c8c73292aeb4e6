"""The norms divide by the bare standard deviation."""

from pathlib import Path

from torch import Tensor

from shared.lab.modules import load_module

right = load_module(Path(__file__).parents[1] / "solution.py")


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return (x - x.mean(dim=-1, keepdim=True)) / x.std(dim=-1, keepdim=True, correction=0) * weight + bias


vars(right).update(layer_norm=layer_norm)


def gpt(tokens: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    return right.gpt(tokens, weights, heads)
