"""Words and vectors, side by side: one question, three passages, two rankings and what becomes of them together.

    uv run sprints/25_retrieval_augmented_generation/two_searches_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/two_searches_by_hand.py --weight 0.9

Theory: notes/04_words_or_vectors.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from retrieval.bm25 import BM25
from retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from retrieval.words import PLAIN
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Fraction
from shared.lab.run import run

QUESTION = "What is kept by the physician in the cellar?"
PASSAGES = (
    "Prawns are kept by the doctor in the cellar.",
    "Berries are kept by the nurse in the cellar.",
    "Noodles are kept by the doctor in the attic.",
)
# Meanings in four numbers: the first two say who, the last two say where. Words that are not here have (0, 0, 0, 0).
MEANINGS = {
    "doctor": (2, 0, 0, 0),
    "physician": (2, 0, 0, 0),
    "nurse": (1, 2, 0, 0),
    "cellar": (0, 0, 2, 0),
    "attic": (0, 0, 1, 2),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    weight: Fraction = 0.5  # of BM25 in the fusion by scores


@dataclass(frozen=True)
class Results:
    """Scores of the three passages by way, and the vectors of the question and the passages."""

    scores: dict[str, list[float]]
    question: list[int]
    passages: list[list[int]]


def vector(text: str) -> list[int]:
    """Return the sum of the vectors of a text's words."""
    words = [MEANINGS[word] for word in PLAIN(text) if word in MEANINGS]
    return [sum(numbers) for numbers in zip(*words, strict=True)]


def cosine(one: list[int], other: list[int]) -> float:
    """Return how alike the directions of two vectors are: 1 for the same one, 0 for a right angle."""
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


def main(config: Config) -> Results:
    question, vectors = vector(QUESTION), [vector(passage) for passage in PASSAGES]
    words = BM25(PASSAGES).scores(QUESTION).tolist()
    near = [cosine(question, passage) for passage in vectors]
    found = [sorted(enumerate(scores), key=lambda pair: -pair[1]) for scores in (words, near)]
    by_places = dict(reciprocal_rank_fusion(found, 3))
    by_scores = dict(weighted_fusion(found, 3, [config.weight, 1 - config.weight]))
    scores = {
        "BM25": words,
        "cosine": near,
        "by places": [by_places[number] for number in range(3)],
        "by scores": [by_scores[number] for number in range(3)],
    }
    print(QUESTION)
    for number, passage in enumerate(PASSAGES):
        print(f"  {passage:<46}" + "  ".join(f"{name} {row[number]:.4f}" for name, row in scores.items()))
    return Results(scores, question, vectors)


def plot(results: Results) -> Figure:
    """Draw the vectors of question and passages, and the scores of the four ways."""
    figure, axes = drawings.canvas(9.6, 3.45)
    size, x, top = 0.46, 3.35, 2.15
    drawings.text(axes, QUESTION, x - 0.15, 2.85, align="right", size=9)
    drawings.cells(axes, [results.question], x, 2.85 + size / 2, colour=drawings.QUERY, size=size)
    drawings.text(axes, "who", x + size, 3.3, bold=True)
    drawings.text(axes, "where", x + 3 * size, 3.3, bold=True)
    for number, passage in enumerate(PASSAGES):
        y = top - number * 0.62
        drawings.text(axes, passage, x - 0.15, y - size / 2, align="right", size=9)
        drawings.cells(axes, [results.passages[number]], x, y, colour=drawings.KEY, size=size)
    left = x + 4 * size + 0.4
    for place, (name, scores) in enumerate(results.scores.items()):
        column = left + 0.98 * place + (0.2 if place > 1 else 0)
        drawings.text(axes, name, column + 0.42, top + 0.24, bold=True)
        low, high = min(scores), max(scores)
        for number, score in enumerate(scores):
            strength = 0.1 + 0.5 * (score - low) / (high - low)
            colour = drawings.MIXED if place > 1 else drawings.VALUE
            shown = f"{score:.4f}" if name == "by places" else f"{score:.3f}"
            y = top - number * 0.62
            drawings.cells(axes, [[shown]], column + 0.12, y + 0.07, colour=colour, size=0.6, strengths=[[strength]])
    drawings.text(axes, "two searches", left + 0.95, top + 0.58)
    drawings.text(axes, "both together", left + 3.1, top + 0.58)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
