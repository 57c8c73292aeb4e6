"""MiniLM tuned on Debian's packages: summaries and long texts of the training split, InfoNCE within the batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor

from retrieval.bi_encoder import BiEncoder
from retrieval.contrast import in_batch_loss
from retrieval.cross_encoder import Reranker, score_pairs
from retrieval.debian import KnownItems, split_of, without_doubles
from retrieval.described import Rankings
from retrieval.fusion import Found, weighted_fusion
from retrieval.token_rows import Tokens
from shared.text.debian import Package, read_packages
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear


@dataclass(frozen=True)
class Described:
    """Summaries with their long texts, and the family of each package: a sibling's text is no wrong answer."""

    queries: list[str]
    documents: list[str]
    families: Int[Tensor, " packages"]


def training_packages() -> list[Package]:
    """Return the packages of the training split; errors as in `read_packages`."""
    return split_of(without_doubles(read_packages()), "train")


def described_batches(packages: Sequence[Package], size: int, generator: torch.Generator) -> Iterator[Described]:
    """Yield batches without end; each package comes once in a round.

    Raises:
        ValueError: there are fewer packages than a batch needs.
    """
    if len(packages) < size:
        raise ValueError(f"a batch of {size} needs as many packages; there are {len(packages)}")
    families = {family: number for number, family in enumerate(sorted({package.family for package in packages}))}
    while True:
        order = torch.randperm(len(packages), generator=generator).tolist()
        for start in range(0, len(order) - size + 1, size):
            drawn = [packages[number] for number in order[start : start + size]]
            numbers = torch.tensor([families[package.family] for package in drawn])
            yield Described([package.short for package in drawn], [package.long for package in drawn], numbers)


def tune(
    model: BiEncoder,
    tokens: Tokens,
    batches: Iterator[Described],
    *,
    steps: int,
    rate: float,
    scale: float = 20.0,
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train, and yield after each step the steps done and the loss on its batch before the update.

    Args:
        model: is changed.
        tokens: makes rows; a short context makes a step fast.
        batches: of summaries and long texts.
        steps: of AdamW, whose rate warms up and then falls linearly to zero.
        rate: its highest rate.
        scale: the inverse temperature.
        precision: as in `shared.lab.runtime.autocast`.
    """

    def loss_of(model: BiEncoder, batch: Described) -> tuple[Tensor, int]:
        queries, documents = tokens.rows(batch.queries), tokens.rows(batch.documents)
        asked, found = model(queries.tokens, queries.mask).float(), model(documents.tokens, documents.mask).float()
        return in_batch_loss(asked, found, scale, batch.families) * len(asked), len(asked)

    schedule = partial(warmup_linear, steps=steps, warmup=max(1, steps // 10))
    optimizers = make_optimizers(model, learning_rate=rate, weight_decay=0.01)
    yield from train_steps(
        model, batches, loss_function=loss_of, optimizers=optimizers, steps=steps, schedule=schedule,
        precision=precision,
    )  # fmt: skip


def reread(
    reranker: Reranker, tokens: Tokens, rankings: Rankings, items: KnownItems, depth: int, precision: str = "auto"
) -> Rankings:
    """Return the best `depth` documents of each query with the reranker's scores, best first."""
    tops = [[number for number, _ in found[:depth]] for found in rankings]
    queries = [query for query, top in zip(items.queries, tops, strict=True) for _ in top]
    documents = [items.documents[number] for top in tops for number in top]
    scores = iter(score_pairs(reranker, tokens, queries, documents, precision=precision).tolist())
    return [sorted(((number, next(scores)) for number in top), key=lambda pair: -pair[1]) for top in tops]


def with_reranker(rankings: Rankings, read: Rankings, weight: float) -> Rankings:
    """Return what was read in the order of both scores, each brought to 0 to 1; behind it what was not read."""
    return [_one(found, again, weight) for found, again in zip(rankings, read, strict=True)]


def _one(found: Found, again: Found, weight: float) -> Found:
    numbers = {number for number, _ in again}
    top = [pair for pair in found if pair[0] in numbers]
    best = weighted_fusion([top, again], len(top), [1 - weight, weight])
    return [*best, *((number, score - 1e6) for number, score in found if number not in numbers)]
