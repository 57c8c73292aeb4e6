"""Rows of moves whose every token has a target: what all moves up to it come to in a group. In Z2 that is parity."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from sequences.groups import Table, prefix_products

Rows = tuple[Int[Tensor, "batch tokens"], Int[Tensor, "batch tokens"]]


@dataclass(frozen=True)
class Moves:
    """The elements of a group that serve as tokens: token i is element `elements[i]`."""

    table: Table
    elements: Int[Tensor, " moves"]


def draw_rows(moves: Moves, batch: int, length: int, generator: torch.Generator) -> Rows:
    """Return rows of random tokens, and for each one the element to which all tokens up to it come.

    Args:
        moves: the group, and its elements that serve as tokens.
        batch: rows.
        length: tokens of a row.
        generator: draws the tokens, all equally probable.
    """
    words = torch.randint(len(moves.elements), (batch, length), generator=generator)
    return words, prefix_products(moves.table, moves.elements[words])


def length_at(step: int, steps: int, longest: int, growing: float) -> int:
    """Return the length of the rows of a step: from 2 tokens to the longest, evenly, over a part of the steps.

    Args:
        step: the step, from 0.
        steps: steps of the training.
        longest: tokens of the longest rows.
        growing: the part of the training in which rows get longer; 0 for the longest from the first step.
    """
    if growing * steps <= step:
        return longest
    return min(longest, 2 + int((longest - 1) * step / (growing * steps)))


def product_loss(model: nn.Module, rows: Rows) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss in nats of the products at all tokens, and their number."""
    words, products = rows
    logits = model(words)  # (batch, tokens, elements)
    return functional.cross_entropy(logits.flatten(0, 1), products.flatten(), reduction="sum"), products.numel()


@torch.no_grad()
def accuracy_by_length(model: nn.Module, rows: Rows) -> Float[Tensor, " tokens"]:
    """Return for each number of tokens the share of rows whose product is the model's most probable one."""
    model.eval()
    words, products = rows
    return (model(words).argmax(dim=-1) == products).float().mean(dim=0)
