"""What becomes of the vectors of words that a text never shows?

    uv run sprints/12_finetune_gpt2_generative/words_never_seen.py
    uv run sprints/12_finetune_gpt2_generative/words_never_seen.py --steps 2000

Four words have vectors of two numbers. A softmax predicts *salt* or *rice* from what stands before them; *yuzu* and
*lard* never occur. Plain gradient descent pushes both the same way. Theory: notes/03_new_words_and_other_names.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run

WORDS = ("salt", "rice", "yuzu", "lard")
START = ((0.6, -0.2), (-0.2, 0.6), (0.3, 0.4), (-0.4, -0.1))
HIDDEN = ((2.0, 0.5), (0.5, 2.0))  # what the model puts in front of the head before salt, and before rice


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 400  # steps of gradient descent
    rate: PositiveFloat = 1.0  # learning rate


@dataclass(frozen=True)
class Results:
    """Vectors of each word on the way, the cosine of the two words never seen before and after, and the first push."""

    path: dict[str, list[list[float]]]
    cosine: tuple[float, float]
    first_gradient: dict[str, list[float]]
    first_probabilities: list[list[float]]


def main(config: Config) -> Results:
    vectors, hidden = torch.tensor(START), torch.tensor(HIDDEN)  # (words, 2), (places, 2)
    targets = functional.one_hot(torch.tensor([0, 1]), len(WORDS)).float()  # (places, words)
    path, gradients, seen = {word: [] for word in WORDS}, [], []
    for step in range(config.steps + 1):
        for word, vector in zip(WORDS, vectors.tolist(), strict=True):
            if step < 50 or step % 10 == 0:
                path[word].append(vector)
        probabilities = (hidden @ vectors.mT).softmax(dim=-1)  # (places, words)
        # The gradient of the mean loss: (p - 1) h for the target, p h for every other word.
        gradient = (probabilities - targets).mT @ hidden / len(hidden)  # (words, 2)
        gradients.append(gradient)
        seen.append(probabilities)
        vectors = vectors - config.rate * gradient
    cosines = [math.cos(_angle(path["yuzu"][at]) - _angle(path["lard"][at])) for at in (0, -1)]
    print(f"cosine of yuzu and lard: {cosines[0]:.3f} before, {cosines[1]:.3f} after {config.steps} steps")
    first = dict(zip(WORDS, gradients[0].tolist(), strict=True))
    return Results(path, (cosines[0], cosines[1]), first, seen[0].tolist())


def _angle(vector: list[float]) -> float:
    return math.atan2(vector[1], vector[0])


def plot(results: Results) -> Figure:
    """Draw the way that each vector takes, from the circle to the cross."""
    figure, axes = new_figure(6, 4.6)
    for word, colour in zip(results.path, (COLOURS[0], COLOURS[2], COLOURS[1], COLOURS[3]), strict=True):
        xs, ys = zip(*results.path[word], strict=True)
        axes.plot(xs, ys, color=colour, linewidth=1.2)
        axes.plot(xs[0], ys[0], "o", color=colour)
        axes.plot(xs[-1], ys[-1], "X", color=colour, markersize=9)
        below = word == "lard"
        axes.annotate(word, (xs[-1], ys[-1]), textcoords="offset points", xytext=(8, -14 if below else 6), color=colour)
    axes.axhline(0, color="grey", linewidth=0.6)
    axes.axvline(0, color="grey", linewidth=0.6)
    axes.margins(0.15)
    axes.set(xlabel="first number of the vector", ylabel="second number", aspect="equal")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
