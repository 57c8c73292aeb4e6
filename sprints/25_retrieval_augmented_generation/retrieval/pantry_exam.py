"""Exams on pantries: questions whose posterior is known, so that each ranking has an expected value and an optimum."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from retrieval.bi_encoder import BiEncoder, encode
from retrieval.pantry import Pantry, Question
from retrieval.pantry_optimum import expected_measures
from retrieval.token_rows import Tokens


@dataclass(frozen=True)
class Exam:
    """Questions of a pantry at one synonym rate, with the probability that each is about each passage."""

    pantry: Pantry
    questions: list[Question]
    posteriors: Float[np.ndarray, "questions passages"]

    @property
    def texts(self) -> list[str]:
        """Return the questions' texts."""
        return [question.text for question in self.questions]

    def measures(self, scores: Float[np.ndarray, "questions passages"], name: str = "ndcg@10") -> list[float]:
        """Return a measure of rankings by these scores, for each question, as expected over the posterior."""
        pairs = zip(scores, self.posteriors, strict=True)
        return [expected_measures(row, posterior)[name] for row, posterior in pairs]

    def best(self, name: str = "ndcg@10") -> list[float]:
        """Return what the Bayes ranking is worth."""
        return self.measures(self.posteriors, name)


def exam(pantry: Pantry, synonyms: float, questions: int, seed: int) -> Exam:
    """Draw the questions of an exam."""
    generator = torch.Generator().manual_seed(seed)
    asked = [pantry.ask(generator, synonyms) for _ in range(questions)]
    return Exam(pantry, asked, np.stack([pantry.posterior(question.text, synonyms) for question in asked]))


def cosines(model: BiEncoder, tokens: Tokens, exam: Exam, batch: int = 250) -> Float[np.ndarray, "questions passages"]:
    """Return the cosine of each question of an exam with each passage of its pantry."""
    asked = encode(model, tokens, exam.texts, batch)
    return (asked @ encode(model, tokens, exam.pantry.passages, batch).mT).numpy()
