"""How does a patch become a vector that a GPT can read? Two layers with GELU between them, every number.

    uv run sprints/22_pictures_and_words/projector_by_hand.py
    uv run sprints/22_pictures_and_words/projector_by_hand.py --patches 2 0 0 2

Two patches, two numbers each, go through a projector and stand before "<end> a red"; all five places get positions, and
only the places of the text have something to predict. Theory: notes/07_pictures_before_words.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

FIRST = ((1.0, -1.0), (1.0, 1.0))  # (hidden, features)
SECOND = ((2.0, 0.0), (0.0, -1.0))  # (d_model, hidden)
SECOND_BIAS = (0.5, 0.0)
WORDS = {"<end>": (0.0, 1.0), "a": (1.0, 1.0), "red": (-1.0, 0.5)}  # word vectors
TARGETS = (None, None, "a", "red", "plate")  # what each place has to predict


@dataclass(frozen=True)
class Config(ScriptConfig):
    patches: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 1.0)  # what the encoder says of two patches, two each


@dataclass(frozen=True)
class Results:
    """What two patches are on their way: (patches, numbers)."""

    patches: list[list[float]]
    hidden: list[list[float]]
    active: list[list[float]]
    vectors: list[list[float]]
    # The vectors that the first block reads before positions are added: picture, then words, (places, 2).
    read: list[list[float]]


def rounded(values: Tensor) -> list[list[float]]:
    return [[round(value, 3) + 0.0 for value in row] for row in values.tolist()]  # no -0


def main(config: Config) -> Results:
    patches = torch.tensor(config.patches).view(2, 2)
    hidden = patches @ torch.tensor(FIRST).T  # (patches, hidden)
    active = functional.gelu(hidden)
    vectors = active @ torch.tensor(SECOND).T + torch.tensor(SECOND_BIAS)  # (patches, d_model)
    read = torch.cat([vectors, torch.tensor([*WORDS.values()])])  # (places, d_model)
    for number in range(2):
        steps = (patches, hidden, active, vectors)
        print(f"patch {number + 1}: " + " -> ".join(str(rounded(step)[number]) for step in steps))
    for place, (vector, target) in enumerate(zip(rounded(read), TARGETS, strict=True)):
        print(f"place {place}: {vector}, predicts {target or 'nothing that is scored'}")
    return Results(*(rounded(step) for step in (patches, hidden, active, vectors, read)))


def plot(results: Results) -> Figure:
    """Draw two patches on their way to the places before the words, and what each place predicts."""
    figure, axes = drawings.canvas(10.6, 5.2)
    for number, y in enumerate((4.7, 3.3)):
        draw_patch(axes, results, number, y)
    names = ("patch 1", "patch 2", *WORDS)
    left = 2.4
    for place, (name, vector, target) in enumerate(zip(names, results.read, TARGETS, strict=True)):
        x = left + 1.35 * place
        colour = drawings.MIXED if target is None else drawings.TOKEN
        drawings.cells(axes, [[number] for number in vector], x, 1.75, colour=colour, size=0.5)
        drawings.text(axes, name, x + 0.25, 1.93, bold=True)
        drawings.text(axes, str(place), x + 0.25, 0.57)
        drawings.text(axes, target or "–", x + 0.25, 0.2, bold=target is not None)
    for y, words in ((1.25, "the GPT reads"), (0.57, "position"), (0.2, "has to predict")):
        drawings.text(axes, words, left - 0.3, y, align="right")
    drawings.text(axes, "purple: from the picture", left + 7.1, 1.5, size=8)
    drawings.text(axes, "grey: from the table of words", left + 7.1, 1.2, size=8)
    return figure


def draw_patch(axes: Axes, results: Results, number: int, y: float) -> None:
    """Draw one patch from what the encoder says to the vector; y is the upper end of its cells."""
    first, middle, cells = number == 0, y - 0.5, drawings.cells
    steps = (
        (results.patches, "encoder", drawings.TOKEN, 1.3),
        (results.hidden, "first layer", drawings.KEY, 3.3),
        (results.active, "GELU", drawings.KEY, 5.3),
        (results.vectors, "second layer", drawings.MIXED, 7.3),
    )
    drawings.text(axes, f"patch {number + 1}", 1.1, middle, align="right", bold=True)
    for step, (values, name, colour, x) in enumerate(steps):
        cells(axes, [[value] for value in values[number]], x, y, colour=colour, size=0.5, title=name if first else "")
        if step < len(steps) - 1:
            drawings.arrow(axes, (x + 0.65, middle), (x + 1.85, middle))


if __name__ == "__main__":
    run(main, Config, plot=plot)
