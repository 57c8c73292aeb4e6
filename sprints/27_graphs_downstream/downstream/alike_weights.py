"""First weights by which a name finds its equals and the other name of its line, and adds what it finds as it is.

The idea is that of sprint 25, note 15 (Trockman & Kolter 2023, *Mimetic Initialization of Self-Attention Layers*):
begin where trained attention ends. There only the first block compares; here all do, for each hop is one more
comparison.
"""

import math

import torch
from jaxtyping import Int
from torch import Tensor, nn

from shared.nn.blocks import GPTBlock
from shared.nn.gpt import GPT

NAMES, LINES, PLACES = 0.1, 0.1, 0.05  # standard deviations: of names, of lines, of places in a line
LIKENESS = 7.0  # score of a vector with itself, on average


@torch.no_grad()
def begin_alike(gpt: GPT, lines: Int[Tensor, " places"], generator: torch.Generator | None = None) -> None:
    """Give a new GPT with learned positions these first weights, in place.

    Args:
        gpt: pre-norm; its blocks read vectors whose features have a variance of 1.
        lines: which line each place stands in.
        generator: draws the weights (default: PyTorch's global one).
    """
    size, head_dim = gpt.config.d_model, gpt.config.d_model // gpt.config.heads
    nn.init.normal_(gpt.token_embedding.weight, std=NAMES, generator=generator)
    for positions in gpt.positions.parameters():
        shared = LINES * torch.randn(int(lines.max()) + 1, size, generator=generator)
        positions.copy_(shared[lines] + PLACES * torch.randn(len(lines), size, generator=generator))
    # |W x|^2 / sqrt(head_dim) is LIKENESS on average, for x of `size` features of variance 1.
    spread = math.sqrt(LIKENESS * math.sqrt(head_dim) / (head_dim * size))
    for block in gpt.blocks:
        if isinstance(block, GPTBlock):
            queries = spread * torch.randn(size, size, generator=generator)
            block.attention.qkv.weight[: 2 * size] = torch.cat([queries, queries])
            block.attention.qkv.weight[2 * size :] += torch.eye(size)
            block.attention.output.weight += torch.eye(size)
