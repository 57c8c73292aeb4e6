"""What does ELECTRA learn from a sentence in which two words may have been replaced? Every number of it.

    uv run sprints/19_transformer_variants/electra_by_hand.py
    uv run sprints/19_transformer_variants/electra_by_hand.py --draws 0.7 0.2

A generator fills two holes by a draw each, and a detector says of every word how likely it is another one.
Theory: notes/03_roberta_and_electra.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Share
from shared.lab.run import run
from shared.nn.electra import detection_loss

TEXT = ("beat", "two", "eggs", "with", "the", "sugar")
# What the generator gives the words in its two holes.
FILLS = {1: {"two": 0.6, "three": 0.3, "no": 0.1}, 3: {"with": 0.5, "and": 0.3, "or": 0.2}}
# What the detector says: the probability that a word was replaced.
SUSPECTED = (0.1, 0.3, 0.1, 0.7, 0.05, 0.1)


@dataclass(frozen=True)
class Config(ScriptConfig):
    draws: tuple[Share, Share] = (0.4, 0.75)  # a number for each hole; it falls into the part of one word


@dataclass(frozen=True)
class Results:
    filled: list[str]
    replaced: list[bool]
    losses: list[float]
    loss: float
    at_once: float
    share: float
    base_rate: float


def fill(choices: dict[str, float], draw: float) -> str:
    """Return the word into whose part of the line from 0 to 1 a number falls."""
    for word, probability in choices.items():
        draw -= probability
        if draw < 0:
            return word
    return list(choices)[-1]


def entropy(share: float) -> float:
    """Return the loss, in nats, of who knows nothing but how many are replaced."""
    return sum(-p * math.log(p) for p in (share, 1 - share) if p > 0)


def main(config: Config) -> Results:
    draws = dict(zip(FILLS, config.draws, strict=True))
    filled = [fill(FILLS[place], draws[place]) if place in FILLS else word for place, word in enumerate(TEXT)]
    replaced = [new != old for new, old in zip(filled, TEXT, strict=True)]
    losses = [-math.log(p if hit else 1 - p) for p, hit in zip(SUSPECTED, replaced, strict=True)]
    loss, share = sum(losses) / len(losses), sum(replaced) / len(replaced)
    logits = torch.tensor([[math.log(p / (1 - p)) for p in SUSPECTED]])
    at_once = detection_loss(logits, torch.tensor([replaced])).item()
    for row in zip(TEXT, filled, replaced, SUSPECTED, losses, strict=True):
        print("{:6} now {:6} replaced {!s:5} suspected {:.2f} loss {:.3f}".format(*row))
    print(f"loss {loss:.3f}, by `detection_loss` {at_once:.3f}; by the share alone {entropy(share):.3f}")
    return Results(filled, replaced, losses, loss, at_once, share, entropy(share))


def plot(results: Results) -> Figure:
    """Draw the sentence, its holes, the fills, and what the detector is asked."""
    figure, axes = drawings.canvas(7.4, 4.1)
    size, left = 0.8, 1.9
    rows = (
        ("the text", list(TEXT), drawings.TOKEN, [place in FILLS for place in range(len(TEXT))]),
        ("generator reads", ["[MASK]" if p in FILLS else w for p, w in enumerate(TEXT)], drawings.QUERY,
         [place in FILLS for place in range(len(TEXT))]),
        ("detector reads", results.filled, drawings.KEY, results.replaced),
        ("detector is asked", ["other" if hit else "same" for hit in results.replaced], drawings.VALUE,
         results.replaced),
    )  # fmt: skip
    for index, (name, words, colour, strong) in enumerate(rows):
        y = 3.85 - 0.98 * index
        strengths = [[0.45 if hit else 0.12 for hit in strong]]
        drawings.cells(axes, [words], left, y, colour=colour, size=size, strengths=strengths, row_names=[name])
        if index in (0, 1):
            for place in FILLS:
                x = left + (place + 0.5) * size
                drawings.arrow(axes, (x, y - size), (x, y - size - 0.18))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
