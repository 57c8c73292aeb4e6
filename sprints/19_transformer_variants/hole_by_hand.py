"""What may stand in a hole? Four texts, and every probability on paper.

    uv run sprints/19_transformer_variants/hole_by_hand.py

The texts are "hot soup with bread" and its like: two words vary. Theory: notes/05_what_a_hole_is_worth.md
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

TEXTS = {"hot soup with bread": 0.5, "hot soup with rice": 0.2, "cold soup with bread": 0.1, "cold soup with rice": 0.2}
CANDIDATES = ("hot", "cold", "green")


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    joint: list[float]
    chances: list[float]
    nats_of_holes: list[float]
    nats_from_the_left: list[float]
    mean_of_holes: float
    mean_from_the_left: float


def with_word(words: Sequence[str], place: int, word: str) -> str:
    """Return the text with another word at a place."""
    return " ".join([*words[:place], word, *words[place + 1 :]])


def chance_in_hole(text: str, place: int) -> float:
    """Return p(word at a place | all other words)."""
    words = text.split()
    candidates = {other.split()[place] for other in TEXTS}
    return TEXTS[text] / sum(TEXTS.get(with_word(words, place, word), 0.0) for word in candidates)


def chance_from_the_left(text: str, place: int) -> float:
    """Return p(word at a place | the words before it)."""
    words = text.split()
    seen = sum(chance for other, chance in TEXTS.items() if other.split()[:place] == words[:place])
    return sum(chance for other, chance in TEXTS.items() if other.split()[: place + 1] == words[: place + 1]) / seen


def main(config: Config) -> Results:  # noqa: ARG001 - there is nothing to choose
    text, places = "hot soup with bread", range(4)
    joint = [TEXTS.get(with_word(text.split(), 0, word), 0.0) for word in CANDIDATES]
    chances = [chance / sum(joint) for chance in joint]
    for word, chance, share in zip(CANDIDATES, joint, chances, strict=True):
        print(f"{word + ' soup with bread':24} P = {chance:.1f}   p({word} | the rest) = {share:.3f}")
    holes = [abs(math.log(chance_in_hole(text, place))) for place in places]
    left = [abs(math.log(chance_from_the_left(text, place))) for place in places]
    print("in a hole:    ", " ".join(f"{nats:.3f}" for nats in holes), f"  sum {sum(holes):.3f}")
    print("from the left:", " ".join(f"{nats:.3f}" for nats in left), f"  sum {sum(left):.3f} = -ln 0.5")

    def mean(chance_of) -> float:
        """Return the mean loss per word over all texts."""
        return sum(p * -math.log(chance_of(words, place)) / 4 for words, p in TEXTS.items() for place in places)

    means = mean(chance_in_hole), mean(chance_from_the_left)
    print(f"mean over all texts, nats per word: in a hole {means[0]:.3f}, from the left {means[1]:.3f}")
    return Results(joint, chances, holes, left, *means)


def plot(results: Results) -> Figure:
    """Draw the candidates from left to right: the text with each, its probability, its share."""
    figure, axes = drawings.canvas(8.4, 2.6)
    words = ["[hole]", "soup", "with", "bread"]
    drawings.cells(axes, [words], 0.2, 1.6, size=0.62, title="a text with a hole")
    drawings.arrow(axes, (2.75, 1.3), (3.35, 1.3), "try")
    drawings.cells(
        axes, [[word] for word in CANDIDATES], 3.45, 2.2, size=0.62, colour=drawings.QUERY, title="candidate"
    )
    drawings.arrow(axes, (4.15, 1.3), (5.0, 1.3), "read")
    drawings.cells(
        axes, [[round(p, 3)] for p in results.joint], 5.1, 2.2, size=0.62, colour=drawings.KEY, title="P(text)",
        strengths=[[p] for p in results.joint],
    )  # fmt: skip
    drawings.arrow(axes, (5.8, 1.3), (7.0, 1.3), f"divide by {sum(results.joint):.1f}")
    drawings.cells(
        axes, [[round(p, 3)] for p in results.chances], 7.1, 2.2, size=0.62, colour=drawings.MIXED,
        title="p(word | rest)", strengths=[[0.8 * p] for p in results.chances],
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
