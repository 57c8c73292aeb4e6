"""The loss on test recipes, split by what each token is for: of the optimum, of n-grams and of models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from shared.text.batches import pad_rows
from shared.text.corpora import CookbookCorpus
from shared.text.ngrams import NGram
from shared.text.token_kinds import KINDS, pieces_of, token_kinds
from shared.training.losses import token_losses


@dataclass(frozen=True)
class KindLoss:
    """Nats per token, and the parts of it that come from each kind of token: the parts add up to the loss."""

    loss: float
    kinds: dict[str, float]


def by_kind(corpus: CookbookCorpus, recipes: int, nats: Sequence[Sequence[float]]) -> KindLoss:
    """Return the loss by kind, given the nats of each target of each test recipe."""
    sums, targets = dict.fromkeys(KINDS, 0.0), 0
    documents = corpus.documents("test", 0, recipes)
    for index, (tokens, losses) in enumerate(zip(documents, nats, strict=True)):
        kinds = token_kinds(
            pieces_of(corpus.cookbook, corpus.cookbook.recipe("test", index).text), tokens, corpus.tokenizer
        )
        for kind, loss in zip(kinds, losses, strict=True):
            sums[kind] += loss
        targets += len(kinds)
    parts = {kind: total / targets for kind, total in sums.items()}
    return KindLoss(sum(parts.values()), parts)


def optimum_by_kind(corpus: CookbookCorpus, recipes: int) -> tuple[dict[str, float], KindLoss]:
    """Return the share of targets of each kind, and the least possible loss: what each choice of the grammar costs."""
    sums, counts = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0)
    for index, tokens in enumerate(corpus.documents("test", 0, recipes)):
        pieces = pieces_of(corpus.cookbook, corpus.cookbook.recipe("test", index).text)
        for piece in pieces:
            sums[piece.kind] += piece.nats
        for kind in token_kinds(pieces, tokens, corpus.tokenizer):
            counts[kind] += 1
    targets = sum(counts.values())
    parts = {kind: total / targets for kind, total in sums.items()}
    return {kind: number / targets for kind, number in counts.items()}, KindLoss(sum(parts.values()), parts)


def ngram_nats(model: NGram, corpus: CookbookCorpus, recipes: int) -> list[list[float]]:
    """Return the nats of each target of each test recipe."""
    documents = corpus.documents("test", 0, recipes)
    return [(-np.log(model.probabilities(tokens))).tolist() for tokens in documents]


@torch.no_grad()
def model_nats(model: nn.Module, corpus: CookbookCorpus, recipes: int) -> list[list[float]]:
    """Return the nats of each target of each test recipe; the model is in evaluation mode."""
    model.eval()
    documents, nats = corpus.documents("test", 0, recipes), []
    for start in range(0, recipes, 64):
        rows = documents[start : start + 64]
        tokens = pad_rows(rows).tokens
        losses = token_losses(model(tokens[:, :-1]), tokens)
        nats += [row[: len(tokens) - 1] for row, tokens in zip(losses.tolist(), rows, strict=True)]
    return nats
