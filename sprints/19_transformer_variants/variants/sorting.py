"""What do the experts of a layer sort tokens by: the voice of the recipe, or the word that is read?"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from shared.nn.mixtral import Mixtral
from variants.voices import VoicedRows

SHARED = (0.4, 0.6)  # a word is one of both voices if its share of flirty occurrences is from here to there
OFTEN = 20  # occurrences that such a share needs


@dataclass(frozen=True)
class Sorting:
    """What a layer's first choices say: all are shares of tokens.

    Args:
        largest_load: of the expert that is the first choice of most tokens.
        smallest_load: of the one that is the first choice of fewest.
        voice: right guesses of the voice by who is told the expert.
        voice_by_word: right guesses of the voice by who is told the word.
        shared_voice: as `voice`, of words that both voices use about equally often.
        shared_voice_by_word: as `voice_by_word`, of these.
        expert_by_word: right guesses of the expert by who is told the word.
    """

    largest_load: float
    smallest_load: float
    voice: float
    voice_by_word: float
    shared_voice: float
    shared_voice_by_word: float
    expert_by_word: float


def purity(counts: Float[Tensor, "groups kinds"]) -> float:
    """Return how often one is right who is told the group and names its most frequent kind."""
    return (counts.max(dim=1).values.sum() / counts.sum()).item()


def tally(
    group: Int[Tensor, " tokens"], kind: Int[Tensor, " tokens"], groups: int, kinds: int
) -> Float[Tensor, "groups kinds"]:
    """Return how many tokens of each group are of each kind."""
    return torch.bincount(group * kinds + kind, minlength=groups * kinds).view(groups, kinds).double()


def words_of_both(rows: VoicedRows, vocab_size: int) -> Bool[Tensor, " vocab"]:
    """Return which words both voices use about equally often."""
    voice = rows.voice[:, None].expand_as(rows.tokens)
    counts = tally(rows.tokens[rows.real], voice[rows.real], vocab_size, 2)  # (vocab, voices)
    share = counts[:, 1] / counts.sum(dim=1).clamp(min=1)
    return (share >= SHARED[0]) & (share <= SHARED[1]) & (counts.sum(dim=1) >= OFTEN)


@torch.no_grad()
def sorting_of_layers(model: Mixtral, rows: VoicedRows, shared_words: Bool[Tensor, " vocab"]) -> Iterator[Sorting]:
    """Yield what each layer sorts the real tokens of some rows by."""
    model.eval()
    experts, vocab = model.config.experts, model.config.vocab_size
    _, routing = model.with_routing(rows.tokens)
    real = rows.real.flatten()
    word, both = rows.tokens.flatten()[real], shared_words[rows.tokens].flatten()[real]
    voice = rows.voice[:, None].expand_as(rows.tokens).flatten()[real]
    for layer in routing:
        first = layer.chosen[:, 0][real]
        loads = tally(first, first.new_zeros(len(first)), experts, 1) / len(first)
        yield Sorting(
            loads.max().item(),
            loads.min().item(),
            purity(tally(first, voice, experts, 2)),
            purity(tally(word, voice, vocab, 2)),
            purity(tally(first[both], voice[both], experts, 2)),
            purity(tally(word[both], voice[both], vocab, 2)),
            purity(tally(word, first, vocab, experts)),
        )
