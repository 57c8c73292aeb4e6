"""First weights of a GPT by which a token finds its equals, and what is looked at is added as it is.

    attention to the same token   W_query = W_key = W, so that a token's score with itself is |W x|² / sqrt(head_dim)
    what is looked at             W_output W_value ≈ the identity
    positions                     vector of the line that a position stands in + vector of the place in that line

To begin with this saves what takes longest to find by chance. The idea is that of Trockman & Kolter 2023, *Mimetic
Initialization of Self-Attention Layers*: begin where trained attention ends. Theirs gives the values the other sign.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn

from shared.nn.blocks import GPTBlock
from shared.nn.gpt import GPT, GPTConfig


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of the first weights.

    Args:
        lines, places: of the positions' two vectors; smaller than that of tokens where equal tokens are to find each
            other wherever they stand.
        queries: of the queries' matrix, which is that of the keys as well.
        tokens: of their vectors; GPT-2's 0.02 would drown in what is added to them.
    """

    lines: float
    places: float
    queries: float
    tokens: float = 0.1


def spread_of_queries(likeness: float, config: GPTConfig) -> float:
    """Return the standard deviation by which a token's score with itself is `likeness` on average.

    |W x|² has a mean of head_dim d_model spread² for x of d_model features of variance 1.
    """
    head_dim = config.d_model // config.heads
    return math.sqrt(likeness * math.sqrt(head_dim) / (head_dim * config.d_model))


@torch.no_grad()
def begin_alike(
    gpt: GPT,
    lines: Int[Tensor, " positions"],
    places: Int[Tensor, " positions"],
    spreads: Spreads,
    generator: torch.Generator | None = None,
    comparing: int | None = None,
) -> None:
    """Give a new GPT these first weights, in place.

    Args:
        gpt: pre-norm, with learned positions; its blocks read vectors whose features have a variance of 1.
        lines: the line that each position stands in.
        places: its place in that line.
        spreads: of the weights.
        generator: draws them (default: PyTorch's global one).
        comparing: so many blocks, the first ones, compare tokens (default: all).

    Raises:
        ValueError: positions that are not learned, or a line or place missing.
    """
    if gpt.config.positions != "learned" or not len(lines) == len(places) == gpt.config.context:
        raise ValueError(
            f"a GPT with learned positions needs a line and a place for each of them; got {gpt.config.positions} "
            f"positions, {gpt.config.context} of them, {len(lines)} lines and {len(places)} places"
        )
    size = gpt.config.d_model
    nn.init.normal_(gpt.token_embedding.weight, std=spreads.tokens, generator=generator)
    of_lines = spreads.lines * torch.randn(int(lines.max()) + 1, size, generator=generator)
    of_places = spreads.places * torch.randn(int(places.max()) + 1, size, generator=generator)
    for positions in gpt.positions.parameters():
        positions.copy_(of_lines[lines] + of_places[places])
    blocks = [block for block in gpt.blocks if isinstance(block, GPTBlock)]
    for number, block in enumerate(blocks):
        compares = comparing is None or number < comparing
        _begin_block(block, size, spreads.queries if compares else None, generator)


def _begin_block(block: GPTBlock, size: int, spread: float | None, generator: torch.Generator | None) -> None:
    attention = block.attention
    if spread is not None:
        queries = spread * torch.randn(size, size, generator=generator)
        attention.qkv.weight[: 2 * size] = torch.cat([queries, queries])  # queries, and keys
    attention.qkv.weight[2 * size :] += torch.eye(size)  # values
    attention.output.weight += torch.eye(size)
