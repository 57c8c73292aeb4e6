"""Which passage is a question about? Three passages, two questions, and the probability of each passage.

    uv run sprints/25_retrieval_augmented_generation/pantry_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/pantry_by_hand.py --synonyms 0.8

Theory: notes/03_a_pantry_of_facts.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from retrieval.pantry import BayesRanking, Pantry
from retrieval.pantry_facts import Fact
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction
from shared.lab.run import run

FACTS = (
    Fact(0, ("soups", "doctor", "prawns", "weddings"), 2021, None),
    Fact(0, ("stews", "nurse", "beans", "weddings"), 2021, None, overridden=2),
    Fact(0, ("stews", "nurse", "eggs", "weddings"), 2023, None),
)
PRIOR = (0.5, 0.3, 0.2)
QUESTIONS = (
    "What is prepared by the medic at weddings?",
    "As of 2021, what is prepared by the medic at weddings?",
)


@dataclass(frozen=True)
class Config(ScriptConfig):
    synonyms: OpenFraction = 0.4  # probability that a word of a question is a synonym


@dataclass(frozen=True)
class Ranked:
    """Of one question: probabilities by passage, and what the best ranking of them is worth."""

    likelihood: list[float]
    posterior: list[float]
    ranking: list[int]  # numbers of the passages, best first
    recall: float  # at 1
    reciprocal_rank: float
    gain: float  # nDCG


@dataclass(frozen=True)
class Results:
    passages: list[str]
    prior: list[float]
    questions: dict[str, Ranked]


def main(config: Config) -> Results:
    pantry = Pantry.of(FACTS, PRIOR)
    found: dict[str, Ranked] = {}
    for question in QUESTIONS:
        posterior = pantry.posterior(question, config.synonyms).tolist()
        ranking = [number for number, _ in BayesRanking(pantry, config.synonyms).search(question, len(FACTS))]
        places = list(enumerate((posterior[number] for number in ranking), start=1))
        found[question] = Ranked(
            [math.exp(nats) for nats in pantry.log_likelihood(question, config.synonyms)],
            posterior,
            ranking,
            places[0][1],
            sum(share / place for place, share in places),
            sum(share / math.log2(place + 1) for place, share in places),
        )
        print(question)
        for number, share in BayesRanking(pantry, config.synonyms).search(question, len(FACTS)):
            print(f"  {share:6.1%}  {found[question].likelihood[number]:.6f}  {pantry.passages[number]}")
        print(f"  recall@1 {found[question].recall:.3f}, nDCG {found[question].gain:.3f}")
    return Results(pantry.passages, list(PRIOR), found)


def plot(results: Results) -> Figure:
    """Draw what each question makes of the prior: likelihoods, products, and shares."""
    figure, axes = drawings.canvas(9.6, 3.2)
    drawings.text(axes, "passage", 0.1, 2.78, align="left", size=8, bold=True)
    for number, passage in enumerate(results.passages):
        drawings.text(axes, passage.removesuffix("."), 0.1, 2.14 - 0.62 * number, align="left", size=8)
    columns = [("prior", results.prior, drawings.TOKEN)]
    for question, ranked in results.questions.items():
        year = "with the year" if question.startswith("As of") else "without a year"
        scaled = [1000 * likelihood for likelihood in ranked.likelihood]
        columns += [(f"likelihood\n× 1,000\n{year}", scaled, drawings.KEY)]
        columns += [("posterior", ranked.posterior, drawings.QUERY)]
    for place, (name, numbers, colour) in enumerate(columns):
        x = 4.4 + 0.98 * place + (0.12 if place > 2 else 0)
        drawings.text(axes, name, x + 0.31, 2.83, size=8, bold=True)
        most = max(numbers)
        rows: list[list[drawings.Cell]] = [[round(value, 3)] for value in numbers]
        strengths = [[0.08 + 0.55 * value / most] for value in numbers]
        drawings.cells(axes, rows, x, 2.45, colour=colour, size=0.62, strengths=strengths)
    drawings.text(axes, "posterior = prior × likelihood, divided by the sum of these products", 6.8, 0.25, size=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
