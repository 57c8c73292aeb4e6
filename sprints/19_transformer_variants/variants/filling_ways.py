"""Each at the other's work: a GPT fills a hole, and a BERT writes from left to right.

Texts have a start token before them, the one after all words; the mask token comes after it.
"""

import math
import statistics
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.bert import MaskedLanguageModel
from variants.both_kinds import with_start
from variants.small_grammar import TextTable


@dataclass(frozen=True)
class HoleTest:
    """Texts with a hole each, and what the best possible model loses, in nats.

    Attributes:
        rows: the texts, whole.
        holes: where the hole of each is.
        at_hole: mean of -ln p(word | all other words).
        from_left: mean of -ln p(word | the words before it).
        of_text: mean of -ln p(text).
    """

    rows: Int[Tensor, "texts places"]
    holes: Int[Tensor, " texts"]
    at_hole: float
    from_left: float
    of_text: float


def draw_holes(table: TextTable, texts: int, seed: int) -> HoleTest:
    """Draw texts, each with a hole at one of the places that vary."""
    generator = torch.Generator().manual_seed(seed)
    rows, varying = table.draw(texts, generator), torch.tensor(table.varying)
    holes = varying[torch.randint(len(varying), (texts,), generator=generator)]
    places = torch.arange(rows.shape[1])
    around = table.optimal_nats(rows, places == holes[:, None]).sum(dim=1)
    before = [
        -math.log(table.distribution(row, (places < hole).numpy(), hole)[row[hole]])
        for row, hole in zip(rows.numpy(), holes.tolist(), strict=True)
    ]
    whole = [table.nats_of_text(row) for row in rows.numpy()]
    return HoleTest(rows, holes, around.mean().item(), statistics.mean(before), statistics.mean(whole))


@torch.no_grad()
def fill_by_masks(
    model: MaskedLanguageModel, rows: Int[Tensor, "batch places"], hidden: Bool[Tensor, "batch places"], words: int
) -> Float[Tensor, "batch places words"]:
    """Return BERT's log-probabilities of each word at each place, the hidden ones masked: one pass."""
    inputs = with_start(rows.masked_fill(hidden, words + 1), words)
    return model(inputs)[:, 1:, :words].log_softmax(dim=-1)


@torch.no_grad()
def text_log_probs(model: nn.Module, rows: Int[Tensor, "batch places"], words: int) -> Float[Tensor, "batch places"]:
    """Return a decoder's log-probability of each word given those before it, in one pass; they add up to the text's."""
    tokens = with_start(rows, words)
    logits = model(tokens[:, :-1])[..., :words].log_softmax(dim=-1)
    return logits.gather(2, rows[..., None]).squeeze(-1)


@torch.no_grad()
def write_by_masks(
    model: MaskedLanguageModel, rows: Int[Tensor, "batch places"], words: int
) -> Float[Tensor, "batch places"]:
    """Return BERT's log-probability of each word given those before it, from it on masked: a pass for each place."""
    places = torch.arange(rows.shape[1])
    found = [fill_by_masks(model, rows, (places >= place).expand(rows.shape), words)[:, place] for place in places]
    return torch.stack(found, dim=1).gather(2, rows[..., None]).squeeze(-1)


def fill_by_likelihood(
    model: nn.Module, rows: Int[Tensor, "batch places"], places: Int[Tensor, " batch"], words: int
) -> Float[Tensor, "batch words"]:
    """Return a decoder's log p(word at a place | all others): p(text with it) / the sum over words, a pass for each."""
    batch = torch.arange(len(rows))
    totals = []
    for word in range(words):
        tried = rows.clone()
        tried[batch, places] = word
        totals.append(text_log_probs(model, tried, words).sum(dim=1))
    return torch.stack(totals, dim=1).log_softmax(dim=-1)
