"""First weights of a reader, by which a word finds its equals and what is looked at is added as it is.

    attention to the same word   W_query = W_key, so that a word's score with itself is |W x|², and near 0 with another
    what is looked at            W_output W_value ≈ the identity
    places                       vector of the slot (which passage) + vector of the place in it

To begin with this saves what takes longest to find by chance. The idea is that of Trockman & Kolter 2023, *Mimetic
Initialization of Self-Attention Layers*: begin where trained attention ends. Theirs gives the values the other sign.
"""

import torch
from torch import Tensor, nn

from retrieval.reader_tokens import SLOT
from shared.nn.blocks import GPTBlock
from shared.nn.gpt import GPT

WORDS = 0.1  # standard deviation of the words' vectors; GPT-2's 0.02 would drown in what is added to them
SLOTS, PLACES = 0.05, 0.025  # of slots and of places in a slot: smaller, for the same words are to find each other
LIKENESS = 0.12  # of the first block's queries, which are its keys as well


@torch.no_grad()
def begin_alike(model: GPT, generator: torch.Generator) -> None:
    """Give a new GPT with learned positions these first weights, in place.

    Only the first block compares words: later blocks see what they have gathered.
    """
    size = model.config.d_model
    nn.init.normal_(model.token_embedding.weight, std=WORDS, generator=generator)
    for positions in model.positions.parameters():
        positions.copy_(_by_slot(len(positions), size, generator))
    queries = LIKENESS * torch.randn(size, size, generator=generator)
    blocks = [block for block in model.blocks if isinstance(block, GPTBlock)]
    blocks[0].attention.qkv.weight[: 2 * size] = torch.cat([queries, queries])
    for block in blocks:
        block.attention.qkv.weight[2 * size :] += torch.eye(size)
        block.attention.output.weight += torch.eye(size)


def _by_slot(places: int, size: int, generator: torch.Generator) -> Tensor:
    """Return a vector for each place, (places, size): place 0 begins, then there is one slot after another."""
    slots = SLOTS * torch.randn(places // SLOT + 1, size, generator=generator)
    inside = PLACES * torch.randn(SLOT, size, generator=generator)
    behind = torch.arange(places) - 1
    return slots[behind // SLOT] + inside[behind % SLOT]
