"""What a retriever is trained with: each query has one right document, and the others of its batch count as wrong."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


def in_batch_loss(
    queries: Float[Tensor, "queries features"],
    documents: Float[Tensor, "documents features"],
    scale: float | int = 20.0,
    numbers: Int[Tensor, " documents"] | None = None,
    log_shares: Float[Tensor, " documents"] | None = None,
) -> Float[Tensor, ""]:
    """Return InfoNCE from queries to documents: the mean of -log softmax(scale * similarities)[i, i].

    (van den Oord et al. 2018, equation 4; sentence-transformers calls it MultipleNegativesRankingLoss.)

    Args:
        queries: unit vectors.
        documents: unit vectors; number i is right for query i, and there may be more (hard negatives) behind them.
        scale: the inverse temperature.
        numbers: which document each one is; copies of a query's right document then do not count as wrong.
        log_shares: log of how often each document comes into a batch; it is subtracted from its logits while training
            (Yi et al. 2019), so that what is learnt has the prior in it.

    Raises:
        ValueError: fewer documents than queries.
    """
    if len(documents) < len(queries):
        raise ValueError(f"each query needs its document; got {len(queries)} queries, {len(documents)} documents")
    logits = scale * queries @ documents.mT  # (queries, documents)
    if log_shares is not None:
        logits = logits - log_shares
    if numbers is not None:
        logits = logits.masked_fill(copies_of_the_right_one(numbers, len(queries)), -math.inf)
    return functional.cross_entropy(logits, torch.arange(len(queries), device=queries.device))


def copies_of_the_right_one(numbers: Int[Tensor, " documents"], queries: int) -> Bool[Tensor, "queries documents"]:
    """Return True where a document is the right one of a query, but for the diagonal: false negatives."""
    same = numbers[:queries, None] == numbers[None]
    return same & ~torch.eye(queries, len(numbers), dtype=torch.bool, device=numbers.device)


def chance_of_no_copy(batch: int, documents: int) -> float:
    """Return the probability that no document stands twice in a batch that is drawn with replacement.

    prod_i (1 - i / documents), i from 0 to batch - 1: the problem of equal birthdays.
    """
    return math.prod(1 - drawn / documents for drawn in range(batch))


def hard_negatives(
    scores: Float[Tensor, "queries documents"], right: Int[Tensor, " queries"], count: int, skip: int = 0
) -> Int[Tensor, "queries count"]:
    """Return the highest documents of each query that are not its right one, best first.

    Args:
        scores: by any retriever.
        right: the right document of each query.
        count: how many.
        skip: leave out so many of the highest ones: they are the likeliest to be right as well.

    Raises:
        ValueError: there are not so many documents.
    """
    if skip + count >= scores.shape[1]:
        raise ValueError(f"{skip} + {count} wrong documents must be fewer than all {scores.shape[1]}")
    wrong = scores.scatter(1, right[:, None], -math.inf)
    return wrong.topk(skip + count, dim=1).indices[:, skip:]
