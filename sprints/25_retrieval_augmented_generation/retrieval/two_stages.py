"""Words and vectors find candidates, and a reranker looks at them again: on pantries, where the optimum is known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from retrieval.bi_encoder import BiEncoder
from retrieval.bm25 import BM25
from retrieval.cross_encoder import Reranker, score_pairs
from retrieval.pantry_exam import Exam, cosines
from retrieval.token_rows import Tokens

Scores = Float[ndarray, "questions passages"]
BELOW_ALL = -1e9


@dataclass(frozen=True)
class Stages:
    """The scores of each stage for the questions of an exam; those of the prior are one row for all."""

    exam: Exam
    words: Scores  # BM25
    vectors: Scores  # scale * cosine
    prior: Float[ndarray, " passages"]

    def hybrid(self, weight: float) -> Scores:
        """Return vectors plus so much of the words, without the prior."""
        return self.vectors + weight * self.words

    def reread(self, model: Reranker, tokens: Tokens, weight: float, depth: int) -> "Reread":
        """Return a reranker's scores of the best passages of the hybrid with the prior."""
        first = torch.from_numpy(self.hybrid(weight) + self.prior)
        numbers = first.topk(min(depth, first.shape[1]), dim=1).indices  # (questions, depth)
        questions = [text for text in self.exam.texts for _ in range(numbers.shape[1])]
        passages = [self.exam.pantry.passages[number] for number in numbers.flatten().tolist()]
        scores = score_pairs(model, tokens, questions, passages, batch=250)
        return Reread(self, weight, numbers.numpy(), scores.unflatten(0, numbers.shape).double().numpy())


@dataclass(frozen=True)
class Reread:
    """What was found first, and what the reranker says of it."""

    stages: Stages
    weight: float  # of the words in the hybrid
    numbers: ndarray  # (questions, depth)
    scores: ndarray  # (questions, depth)

    def final(self, first: float) -> Scores:
        """Return for all passages reranker + first * hybrid + prior; what was not read again comes last."""
        hybrid = np.take_along_axis(self.stages.hybrid(self.weight), self.numbers, axis=1)
        ranked = np.full(self.stages.words.shape, BELOW_ALL)
        np.put_along_axis(ranked, self.numbers, self.scores + first * hybrid + self.stages.prior[self.numbers], axis=1)
        return ranked

    @property
    def reachable(self) -> float:
        """Return the mean probability that the passage a question is about was found at all."""
        return float(np.take_along_axis(self.stages.exam.posteriors, self.numbers, axis=1).sum(axis=1).mean())


def stages_of(exam: Exam, model: BiEncoder, tokens: Tokens, scale: float) -> Stages:
    """Return the scores of words, vectors and prior."""
    index = BM25(exam.pantry.passages)
    words = np.stack([index.scores(text) for text in exam.texts])
    return Stages(exam, words, scale * cosines(model, tokens, exam).astype(float), np.log(exam.pantry.prior))


def best_weight(weights: Sequence[float], exams: Sequence[Exam], scores: Callable[[float], Iterable[Scores]]) -> float:
    """Return the weight with the highest nDCG@10 on average over the exams, the smallest of equal ones.

    Args:
        weights: that are tried.
        exams: on a pantry that no test sees.
        scores: makes of a weight the scores for each exam.
    """

    def value(weight: float) -> float:
        return float(np.mean([asked.measures(ranked) for asked, ranked in zip(exams, scores(weight), strict=True)]))

    return max(sorted(weights), key=value)
