"""Holes in recipes of the cookbook: to train on, many in each recipe, and to test on, one in each copy of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from shared.text.batches import Batch, pad_rows
from shared.text.corpora import CookbookCorpus
from shared.text.masking import mask_tokens
from shared.text.token_kinds import pieces_of, token_kinds
from variants.filling import MaskedBatch
from variants.holes import HoleFiller


@dataclass(frozen=True)
class HoleSet:
    """Holes of one token, each in a recipe that is whole otherwise.

    Attributes:
        documents: tokens of the recipe of each hole, end tokens around it.
        places: where the hole is.
        kinds: what the token that was there is for.
        nats: -ln p(token | everything else), exactly.
    """

    documents: list[list[int]]
    places: list[int]
    kinds: list[str]
    nats: Float[Tensor, " holes"]

    def batches(self, mask_token: int, batch_size: int) -> Iterator[MaskedBatch]:
        """Yield the holes once, in batches."""
        for start in range(0, len(self.places), batch_size):
            batch = pad_rows(self.documents[start : start + batch_size])
            assert batch.mask is not None
            chosen = torch.zeros_like(batch.mask)
            places = self.places[start : start + batch_size]
            chosen[torch.arange(len(places)), places] = True
            yield batch.tokens.masked_fill(chosen, mask_token), batch.mask, batch.tokens, chosen


def draw_holes(corpus: CookbookCorpus, stream: str, recipes: int, holes: int, generator: torch.Generator) -> HoleSet:
    """Return so many holes in each of the first recipes of a stream, with their exact optimum.

    Args:
        corpus: recipes and their tokens.
        stream: "validation" or "test".
        recipes: how many recipes.
        holes: different places of each (all, if it has fewer).
        generator: draws the places.
    """
    filler = HoleFiller(corpus.cookbook.write, corpus.tokenizer)
    documents, places, kinds, nats = [], [], [], []
    for index, tokens in enumerate(corpus.documents(stream, 0, recipes)):
        pieces = pieces_of(corpus.cookbook, corpus.cookbook.recipe(stream, index).text)
        kind_of = token_kinds(pieces, tokens, corpus.tokenizer)
        for place in (1 + torch.randperm(len(tokens) - 2, generator=generator)[:holes]).tolist():
            documents.append(tokens)
            places.append(place)
            kinds.append(kind_of[place - 1])
            nats.append(filler.hole(tokens, place).nats)
    return HoleSet(documents, places, kinds, torch.tensor(nats, dtype=torch.float64))


def masked_batches(
    batches: Iterator[Batch], end_token: int, mask_token: int, share: float, generator: torch.Generator
) -> Iterator[MaskedBatch]:
    """Yield batches with holes, drawn anew each time; end tokens and padding are never chosen.

    Every chosen token is hidden. With BERT's 80/10/10 some of what a model reads is wrong, and the best answer to a
    text that may be wrong is not the best one to a text that is right.
    """
    for tokens, real in batches:
        assert real is not None
        eligible = real & (tokens != end_token)
        inputs, chosen = mask_tokens(tokens, eligible, mask_token, mask_token, generator, share, masked=1.0, random=0.0)
        yield inputs, real, tokens, chosen
