"""Pairs of a word and a neighbour in the text, and the noise that stands against them (Mikolov et al. 2013)."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from embedding_study.recipe_words import Text

# Each pass has a number of its own, which the underscore leaves open.
Pairs = Int[Tensor, "_pairs 2"]


def keep_probabilities(counts: Int[Tensor, " vocab"], subsample: float) -> Float[Tensor, " vocab"]:
    """Return the probability with which each word is kept: sqrt(subsample / share), at most 1 (section 2.3)."""
    return (subsample * counts.sum() / counts).sqrt().clamp(max=1)


def draw_pairs(text: Text, keep: Float[Tensor, " vocab"], window: int, generator: torch.Generator) -> Pairs:
    """Return the (centre, context) pairs of one pass in random order.

    Frequent words are thinned out first, so that windows reach farther; each centre draws the size of its window.
    """
    kept = torch.rand(len(text.tokens), generator=generator) < keep[text.tokens]
    tokens, recipes = text.tokens[kept], text.recipes[kept]
    reach = torch.randint(1, window + 1, tokens.shape, generator=generator)
    pairs = []
    for distance in range(1, window + 1):
        left, right = tokens[:-distance], tokens[distance:]
        same = recipes[:-distance] == recipes[distance:]
        looks_right, looks_left = same & (reach[:-distance] >= distance), same & (reach[distance:] >= distance)
        pairs += [torch.stack([left, right])[:, looks_right], torch.stack([right, left])[:, looks_left]]
    joined = torch.cat(pairs, dim=1).T
    return joined[torch.randperm(len(joined), generator=generator)]


def noise_batches(
    passes: list[Pairs],
    counts: Float[Tensor, " vocab"],
    *,
    batch_size: int,
    negatives: int,
    power: float,
    generator: torch.Generator,
) -> Iterator[list[Tensor]]:
    """Yield centres, contexts and noise for each batch of pairs; noise is drawn by the counts of words to a power."""
    noise = counts**power
    for pairs in passes:
        for batch in pairs.split(batch_size):
            drawn = torch.multinomial(noise, len(batch) * negatives, replacement=True, generator=generator)
            yield [batch[:, 0], batch[:, 1], drawn.view(len(batch), negatives)]
