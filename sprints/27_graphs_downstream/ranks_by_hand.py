"""Where does the pancake stand? One question, six answers: raw, filtered, and three ways to count a tie.

    uv run sprints/27_graphs_downstream/ranks_by_hand.py
    uv run sprints/27_graphs_downstream/ranks_by_hand.py --scores 3 3 3 3 3 3

Theory: notes/05_how_facts_are_ranked.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from downstream.ranking import Ties, constant_mrr, ranks_of
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

ENTITIES = ("omelette", "cake", "tea", "pancake", "bread", "egg")
ANSWER, KNOWN = 3, (0, 1)
TIES: tuple[Ties, ...] = ("optimistic", "mean", "pessimistic")


@dataclass(frozen=True)
class Config(ScriptConfig):
    scores: tuple[float, ...] = (5.0, 4.0, 3.0, 3.0, 3.0, 1.0)  # omelette, cake, tea, pancake (asked), bread, egg

    def check(self) -> None:
        if len(self.scores) != len(ENTITIES):
            raise ValueError(f"--scores takes one number for each of {', '.join(ENTITIES)}; got {len(self.scores)}")


@dataclass(frozen=True)
class Results:
    scores: list[float]
    raw: dict[Ties, float]  # rank of the answer by the treatment of ties
    filtered: dict[Ties, float]
    drawn: float  # expected reciprocal rank, filtered, if ties are put in a random order
    constant: dict[str, float]  # mean reciprocal rank of a scorer that says the same of all six


def main(config: Config) -> Results:
    scores, answer = torch.tensor([config.scores], dtype=torch.float32), torch.tensor([ANSWER])
    removed = torch.zeros(1, len(ENTITIES), dtype=torch.bool)
    removed[0, list(KNOWN)] = True
    raw = {ties: ranks_of(scores, answer, None, ties).item() for ties in TIES}
    filtered = {ties: ranks_of(scores, answer, removed, ties).item() for ties in TIES}
    places = range(int(filtered["optimistic"]), int(filtered["pessimistic"]) + 1)
    drawn = sum(1 / place for place in places) / len(places)
    for name, ranks in (("raw", raw), ("filtered", filtered)):
        print(
            f"{name:<10}" + "   ".join(f"{ties} rank {rank:g}, 1/rank {1 / rank:.3f}" for ties, rank in ranks.items())
        )
    print(f"filtered, ties in a random order: 1/rank is {drawn:.3f} on average")
    constant = constant_mrr(len(ENTITIES))
    print("a constant scorer: " + "   ".join(f"{ties} {value:.3f}" for ties, value in constant.items()))
    return Results(list(config.scores), raw, filtered, drawn, constant)


def plot(results: Results) -> Figure:
    """Draw the scores, with the answer green, and below them what is left after the filter."""
    figure, axes = drawings.canvas(7.2, 2.9)
    blue, green = COLOURS[0], COLOURS[2]
    for row, (name, ranks) in enumerate((("raw", results.raw), ("filtered", results.filtered))):
        y = 2.35 - row * 1.2
        drawings.text(axes, name, 0.15, y - 0.3, align="left", bold=True)
        for place, entity in enumerate(ENTITIES):
            gone = row == 1 and place in KNOWN
            drawings.cells(
                axes,
                [[None if gone else f"{results.scores[place]:g}"]],
                1.05 + place * 0.78,
                y,
                size=0.6,
                colour=green if place == ANSWER else blue,
                title=entity if row == 0 else "removed" if gone else "",
            )
        words = "\n".join(f"{ties}: {rank:g}" for ties, rank in ranks.items())
        drawings.text(axes, words, 5.85, y - 0.3, align="left")
    drawings.text(axes, "score of each possible tail of (egg, is in, ?); asked: pancake", 3.4, 0.2)
    drawings.text(axes, "rank", 5.85, 2.6, align="left", bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
