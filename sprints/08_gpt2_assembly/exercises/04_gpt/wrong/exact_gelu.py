"""GELU itself: as good an activation, and not the one that the weights were trained with."""

from pathlib import Path

from torch import Tensor
from torch.nn import functional

from shared.lab.modules import load_module

right = load_module(Path(__file__).parents[1] / "solution.py")
vars(right).update(gelu=functional.gelu)


def gpt(tokens: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    return right.gpt(tokens, weights, heads)
