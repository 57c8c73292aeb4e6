"""A cross-encoder (Nogueira & Cho 2019): it reads the query together with a document, and gives one score."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from retrieval.token_rows import Tokens
from shared.lab.runtime import autocast
from shared.nn.bert import Bert


class Reranker(nn.Module):
    """Gives a score to a query and a document when both are there: a cross-encoder, or late interaction."""

    def score_texts(self, tokens: Tokens, queries: Sequence[str], documents: Sequence[str]) -> Float[Tensor, " pairs"]:
        """Return the score of each query with the document in the same place."""
        raise NotImplementedError


class CrossEncoder(Reranker):
    """A BERT over [CLS] query [SEP] document [SEP], and one number made of the vector of [CLS].

    Args:
        bert: with two segments.
        generator: draws the weights of the last layer (default: PyTorch's global one).
    """

    def __init__(self, bert: Bert, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.bert = bert
        self.score = nn.Linear(bert.config.d_model, 1)
        nn.init.normal_(self.score.weight, std=0.02, generator=generator)
        nn.init.zeros_(self.score.bias)

    def forward(
        self,
        tokens: Int[Tensor, "pairs tokens"],
        mask: Bool[Tensor, "pairs tokens"],
        segments: Int[Tensor, "pairs tokens"],
    ) -> Float[Tensor, " pairs"]:
        """Return a score for each pair."""
        return self.score(self.bert(tokens, mask, segments)[:, 0])[:, 0]

    def score_texts(self, tokens: Tokens, queries: Sequence[str], documents: Sequence[str]) -> Float[Tensor, " pairs"]:
        """Return the score of each query with the document in the same place."""
        device = self.score.weight.device
        return self(*(part.to(device) for part in tokens.rows(queries, documents)))


def list_loss(
    scores: Float[Tensor, "queries candidates"],
    right: Int[Tensor, " queries"],
    log_prior: Float[Tensor, "queries candidates"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean of -log softmax(scores + log_prior)[right]: which of its candidates is the right one?

    If the candidates depend on the query alone, it is smallest where the softmax is the probability of each candidate
    given the query and that one of them is right.
    """
    return functional.cross_entropy(scores if log_prior is None else scores + log_prior, right)


@torch.no_grad()
def score_pairs(
    model: Reranker, tokens: Tokens, queries: Sequence[str], documents: Sequence[str], batch: int = 64,
    precision: str = "float32",
) -> Float[Tensor, " pairs"]:  # fmt: skip
    """Return the score of each query with the document in the same place, on the CPU; arguments as in `encode`."""
    was_training = model.training
    model.eval()
    found = torch.empty(len(queries))
    order = sorted(range(len(queries)), key=lambda number: len(queries[number]) + len(documents[number]))
    with autocast(next(model.parameters()).device, precision):
        for start in range(0, len(order), batch):
            numbers = order[start : start + batch]
            scores = model.score_texts(
                tokens, *([texts[number] for number in numbers] for texts in (queries, documents))
            )
            found[numbers] = scores.float().cpu()
    model.train(was_training)
    return found


def rerank(
    model: Reranker,
    tokens: Tokens,
    query: str,
    found: Sequence[tuple[int, float]],
    documents: Sequence[str],
    log_prior: Float[Tensor, " documents"] | None = None,
) -> list[tuple[int, float]]:
    """Return what another retriever found in the order of the model's scores; equal scores keep their order.

    Args:
        model: the judge.
        tokens: makes rows of pairs.
        query: the query.
        found: numbers and scores, best first.
        documents: all texts, by number.
        log_prior: log probability that a document is asked for; it is added to the scores (default: all are alike).
    """
    numbers = [number for number, _ in found]
    scores = score_pairs(model, tokens, [query] * len(numbers), [documents[number] for number in numbers])
    if log_prior is not None:
        scores = scores + log_prior[numbers]
    if any(math.isnan(score) for score in scores.tolist()):
        raise ValueError(f"a score of the query {query!r} is not a number: the reranker's training has failed")
    return sorted(zip(numbers, scores.tolist(), strict=True), key=lambda pair: -pair[1])
