"""How are two rankings made into one? By places, and by scores, with four documents.

    uv run sprints/25_retrieval_augmented_generation/fusion_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/fusion_by_hand.py --weight 0.8 --k 0

Theory: notes/10_real_descriptions.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from retrieval.fusion import Found, reciprocal_rank_fusion, weighted_fusion
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import Fraction, NonNegativeFloat
from shared.lab.run import run

NAMES: tuple[str, ...] = ("A", "B", "C", "D")
WORDS: Found = [(0, 12.0), (1, 9.0), (2, 3.0)]
VECTORS: Found = [(2, 0.8), (0, 0.7), (3, 0.5)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    k: NonNegativeFloat = 60.0  # of reciprocal rank fusion
    weight: Fraction = 0.5  # of the vectors' scores; the words have the rest


@dataclass(frozen=True)
class Results:
    rankings: dict[str, list[tuple[str, float]]]  # names and scores, best first


def main(config: Config) -> Results:
    found = {
        "words": WORDS,
        "vectors": VECTORS,
        "by places": reciprocal_rank_fusion([WORDS, VECTORS], 4, config.k),
        "by scores": weighted_fusion([WORDS, VECTORS], 4, [1 - config.weight, config.weight]),
    }
    rankings = {way: [(NAMES[number], score) for number, score in ranking] for way, ranking in found.items()}
    for way, ranking in rankings.items():
        print(way.ljust(12) + "   ".join(f"{name} {score:.4f}" for name, score in ranking))
    return Results(rankings)


def plot(results: Results) -> Figure:
    """Draw the four rankings beside each other; a document has the same colour in each."""
    figure, axes = drawings.canvas(7.0, 2.8)
    for column, (way, ranking) in enumerate(results.rankings.items()):
        x = 0.3 + column * 1.7
        drawings.text(axes, way, x + 0.6, 2.6, bold=True)
        for place, (name, score) in enumerate(ranking):
            colour = COLOURS[NAMES.index(name)]
            drawings.box(axes, f"{name}   {score:.4g}", x, 2.0 - place * 0.56, 1.2, 0.44, colour)
    drawings.arrow(axes, (3.25, 1.4), (3.65, 1.4))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
