"""What is measured of an index of real descriptions: recall, whatever the precision, and milliseconds by stage."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from retrieval.bi_encoder import BiEncoder, encode
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.intervals import mean_over_queries
from retrieval.kinds import Retriever
from retrieval.token_rows import PieceTokens
from retrieval.vectors import Flat, Vectors

T = TypeVar("T")
PIECE = 1024  # texts of like length that are encoded between two steps of the bar


@dataclass(frozen=True)
class Recall:
    """Means over queries, each with the ends of its interval."""

    at_1: list[float]
    at_10: list[float]


def encode_all(model: BiEncoder, tokens: PieceTokens, texts: Sequence[str], precision: str) -> Vectors:
    """Return the vectors of texts; those of like length are encoded together, and a bar shows how far it is."""
    vectors = np.empty((len(texts), model.bert.config.d_model), np.float32)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    with tqdm(total=len(texts), unit="text", desc=precision) as bar:
        for start in range(0, len(order), PIECE):
            numbers = order[start : start + PIECE]
            vectors[numbers] = encode(model, tokens, [texts[number] for number in numbers], precision=precision).numpy()
            bar.update(len(numbers))
    return vectors


def recall_of(found: Sequence[Sequence[int]], right: Sequence[int], texts: Sequence[str], seed: int) -> Recall:
    """Return recall at 1 and 10; a document with the same text as the right one is right too."""
    generator, shares = np.random.default_rng(seed), []
    for count in (1, 10):
        hits = [
            float(any(texts[number] == texts[wanted] for number in numbers[:count]))
            for numbers, wanted in zip(found, right, strict=True)
        ]
        estimate = mean_over_queries(hits, generator)
        shares.append([estimate.mean, estimate.low, estimate.high])
    return Recall(*shares)


def by_precision(
    model: BiEncoder, tokens: PieceTokens, texts: Sequence[str], questions: Sequence[str], precision: str, seed: int
) -> tuple[dict[str, Recall], float]:
    """Return the recall in float32 and in another precision, and the share of the nearest ten that both have.

    Args:
        model: encodes both texts and questions.
        tokens: of the model.
        texts: the first ones are what the questions ask for, in their order.
        questions: at most as many as texts.
        precision: the other one.
        seed: of the intervals.
    """
    recalls, tens = {}, []
    for name in ("float32", precision):
        index = Flat(encode_all(model, tokens, texts, name))
        numbers = index.search(encode_all(model, tokens, questions, name), 10)[1].tolist()
        recalls[name] = recall_of(numbers, range(len(questions)), texts, seed)
        tens.append([set(row) for row in numbers])
    return recalls, float(np.mean([len(first & second) / 10 for first, second in zip(*tens, strict=True)]))


def timed(times: list[float], work: Callable[..., T], *arguments: object) -> T:
    """Return what a function returns, and note its milliseconds."""
    start = time.perf_counter()
    found = work(*arguments)
    times.append(1000 * (time.perf_counter() - start))
    return found


def ask_by_stage(
    lexical: Retriever, dense: Retriever, questions: Sequence[str], depth: int
) -> tuple[dict[str, list[list[int]]], dict[str, list[float]]]:
    """Return what each stage finds for each question, and the milliseconds that it takes."""
    times: dict[str, list[float]] = {"words": [], "vectors": [], "fused": []}
    found: dict[str, list[list[int]]] = {name: [] for name in times}
    for question in tqdm(questions, unit="query"):
        one = timed(times["words"], lexical.search, question, depth)
        two = timed(times["vectors"], dense.search, question, depth)
        both = timed(times["fused"], reciprocal_rank_fusion, [one, two], depth)
        for name, ranking in (("words", one), ("vectors", two), ("fused", both)):
            found[name].append([number for number, _ in ranking])
    times["all together"] = [sum(parts) for parts in zip(*times.values(), strict=True)]
    return found, times
