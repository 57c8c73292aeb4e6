"""What does BERT read, and what is it asked? One sentence, with every draw written down.

    uv run sprints/19_transformer_variants/masking_by_hand.py
    uv run sprints/19_transformer_variants/masking_by_hand.py --share 0.6

Each token has two numbers between 0 and 1: the first decides whether it is chosen, the second what becomes of it.
Theory: notes/01_masked_language_models.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Fraction, PositiveFraction
from shared.lab.run import run
from shared.training.masked_loss import masked_loss

TEXT = ("[CLS]", "beat", "two", "eggs", "with", "the", "sugar", "[SEP]", "[PAD]", "[PAD]")
CHOICE = (0.03, 0.71, 0.09, 0.52, 0.12, 0.88, 0.04, 0.35, 0.10, 0.60)
FATE = (0.55, 0.20, 0.31, 0.77, 0.86, 0.42, 0.95, 0.15, 0.50, 0.70)
RANDOM_WORD = "salt"
# What a model gives the token that stood there. It knows the padding, and what it can see.
GIVEN = (0.99, 0.30, 0.50, 0.40, 0.20, 0.60, 0.90, 0.99, 0.99, 0.99)


@dataclass(frozen=True)
class Config(ScriptConfig):
    share: PositiveFraction = 0.15  # probability with which a word is chosen
    masked: Fraction = 0.8  # probability with which a chosen word becomes the mask token
    random: Fraction = 0.1  # probability with which it becomes a random word

    def check(self) -> None:
        if self.masked + self.random > 1:
            raise ValueError(
                f"--masked and --random are probabilities of one draw; they add up to {self.masked + self.random:g}: "
                "give less"
            )


@dataclass(frozen=True)
class Results:
    text: list[str]
    eligible: list[bool]
    chosen: list[bool]
    inputs: list[str]
    losses: list[float]
    loss: float
    at_once: float
    times_mask: float
    with_padding: float
    everything: float


def fate_of(word: str, draw: float, config: Config) -> str:
    """Return what the model reads instead of a chosen word."""
    if draw < config.masked:
        return "[MASK]"
    return RANDOM_WORD if draw < config.masked + config.random else word


def main(config: Config) -> Results:
    eligible = [not word.startswith("[") for word in TEXT]
    chosen = [free and draw < config.share for free, draw in zip(eligible, CHOICE, strict=True)]
    inputs = [fate_of(word, draw, config) if hit else word for word, hit, draw in zip(TEXT, chosen, FATE, strict=True)]
    losses = [-math.log(given) for given in GIVEN]
    scored = [loss for loss, hit in zip(losses, chosen, strict=True) if hit]
    # Two classes are enough to give the right token, class 1, the probability that the model gave it.
    logits = torch.tensor([[[0.0, math.log(given / (1 - given))] for given in GIVEN]])
    at_once = masked_loss(logits, torch.ones(1, len(TEXT), dtype=torch.long), torch.tensor([chosen])).item()
    # If the choice forgets what is special or padding:
    carelessly = [loss for loss, draw in zip(losses, CHOICE, strict=True) if draw < config.share]
    loss, everything = sum(scored) / len(scored), sum(losses) / len(losses)
    times_mask, with_padding = sum(scored) / len(losses), sum(carelessly) / len(carelessly)
    for row in zip(TEXT, CHOICE, chosen, FATE, inputs, strict=True):
        print("{:6} choice {:.2f} chosen {!s:5} fate {:.2f} reads {}".format(*row))
    print(f"loss {loss:.3f}, by `masked_loss` {at_once:.3f}; losses times mask, mean over all places {times_mask:.3f}")
    print(f"special tokens and padding chosen too {with_padding:.3f}; every place scored {everything:.3f}")
    return Results(list(TEXT), eligible, chosen, inputs, losses, loss, at_once, times_mask, with_padding, everything)


def plot(results: Results) -> Figure:
    """Draw the text, what the model reads, and what it is asked, one below the other."""
    figure, axes = drawings.canvas(9.4, 3.0)
    size, left, count = 0.8, 1.3, len(results.text)
    asked = [word if hit else None for word, hit in zip(results.text, results.chosen, strict=True)]
    rows = (
        ("the text", results.text, drawings.TOKEN, results.eligible),
        ("read", results.inputs, drawings.QUERY, [a != b for a, b in zip(results.text, results.inputs, strict=True)]),
        ("asked", asked, drawings.VALUE, results.chosen),
    )
    for index, (name, words, colour, strong) in enumerate(rows):
        strengths = [[0.35 if yes else 0.08 for yes in strong]]
        drawings.cells(
            axes, [list(words)], left, 2.9 - 0.95 * index, colour=colour, size=size, strengths=strengths,
            row_names=[name],
        )  # fmt: skip
    for place in range(count):
        if results.chosen[place]:
            x = left + (place + 0.5) * size
            drawings.arrow(axes, (x, 2.1), (x, 1.95))
            drawings.arrow(axes, (x, 1.15), (x, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
