"""How does a pointer say a word that the output layer has no row for? One answer, every number of it.

    uv run sprints/15_encoder_decoder/pointer_by_hand.py
    uv run sprints/15_encoder_decoder/pointer_by_hand.py --gate 0.9

The source is "a z a b", and z was in no target of the training. Theory: notes/10_pointers.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Fraction
from shared.lab.run import run

SOURCE, VOCAB = "azab", "abcz"
ATTENTION = (0.1, 0.6, 0.2, 0.1)
LAYER = (0.5, 0.3, 0.2, 0.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    gate: Fraction = 0.3  # share of the output layer


@dataclass(frozen=True)
class Results:
    gate: float
    pointed_at: list[float]
    mixed: list[float]
    said: str


def main(config: Config) -> Results:
    attention, layer = torch.tensor(ATTENTION), torch.tensor(LAYER)
    places = torch.tensor([VOCAB.index(letter) for letter in SOURCE])
    pointed_at = torch.zeros(len(VOCAB)).scatter_add(0, places, attention)  # a token that stands twice gets the sum
    mixed = config.gate * layer + (1 - config.gate) * pointed_at
    for token, each in zip(VOCAB, zip(LAYER, pointed_at.tolist(), mixed.tolist(), strict=True), strict=True):
        print(f"{token}: layer {each[0]:.2f}, pointed at {each[1]:.2f}, mixed {each[2]:.2f}")
    return Results(config.gate, pointed_at.tolist(), mixed.tolist(), VOCAB[int(mixed.argmax())])


def plot(results: Results) -> Figure:
    """Draw attention over the places, what it makes of the vocabulary, the layer, and the mixture."""
    figure, axes = drawings.canvas(9.0, 2.5)
    size = 0.5

    def row(numbers: list[float], x: float, y: float, colour: str, names: str, title: str) -> None:
        shown = [[f"{number:.2f}" for number in numbers]]
        strengths = [[0.1 + 0.6 * number for number in numbers]]
        drawings.cells(
            axes, shown, x, y, colour=colour, size=size, strengths=strengths, column_names=list(names), title=title
        )

    row(list(ATTENTION), 0.3, 1.85, drawings.KEY, SOURCE, "attention to the source")
    drawings.arrow(axes, (2.45, 1.6), (3.35, 1.6), "add up")
    row(results.pointed_at, 3.5, 1.85, drawings.KEY, VOCAB, "pointer")
    row(list(LAYER), 3.5, 0.65, drawings.QUERY, VOCAB, "output layer")
    drawings.arrow(axes, (5.6, 1.6), (6.5, 1.2), f"× {1 - results.gate:g}")
    drawings.arrow(axes, (5.6, 0.4), (6.5, 0.9), f"× {results.gate:g}")
    row(results.mixed, 6.65, 1.3, drawings.MIXED, VOCAB, f"said: {results.said}")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
