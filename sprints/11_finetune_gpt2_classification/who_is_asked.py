"""Which token learns the class? The loss of one text, if the last token is asked and if every token is.

    uv run sprints/11_finetune_gpt2_classification/who_is_asked.py
    uv run sprints/11_finetune_gpt2_classification/who_is_asked.py --probabilities 0.5 0.5 0.5 0.9

Token t of n weighs t / (1 + ... + n). Theory: notes/02_which_token_learns.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

TOKENS = ("<start>", "boil", "the", "salad", ".")


@dataclass(frozen=True)
class Config(ScriptConfig):
    # what the first tokens of <start> boil the salad . give the right class
    probabilities: tuple[float, ...] = (0.5, 0.5, 0.5, 0.8, 0.5)

    def check(self) -> None:
        if not 1 <= len(self.probabilities) <= len(TOKENS):
            raise ValueError(f"the text has {len(TOKENS)} tokens; got {len(self.probabilities)} --probabilities")
        if not all(0 < share < 1 for share in self.probabilities):
            raise ValueError(f"--probabilities must lie between 0 and 1; got {self.probabilities}")


@dataclass(frozen=True)
class Results:
    probabilities: list[float]
    losses: list[float]
    weights: list[float]
    last: float
    every: float


def main(config: Config) -> Results:
    losses = [-math.log(share) for share in config.probabilities]
    places = range(1, len(losses) + 1)
    weights = [place / sum(places) for place in places]
    every = sum(weight * loss for weight, loss in zip(weights, losses, strict=True))
    for token, weight, loss in zip(TOKENS, weights, losses, strict=False):
        print(f"{token:<8} weight {weight:.3f}, loss {loss:.3f}")
    print(f"the last token alone: {losses[-1]:.3f}; every token: {every:.3f}")
    return Results(list(config.probabilities), losses, weights, losses[-1], every)


def plot(results: Results) -> Figure:
    """Draw what each token says, and how much it counts."""
    count = len(results.losses)
    figure, axes = drawings.canvas(7.4, 3.1)
    rows = [
        ("P(right class)", results.probabilities, drawings.MIXED, results.probabilities),
        ("loss, nats", [round(loss, 2) for loss in results.losses], drawings.TOKEN, [0.2] * count),
        ("weight: last", [0] * (count - 1) + [1], drawings.KEY, [0.05] * (count - 1) + [0.65]),
        ("weight: every", [round(weight, 3) for weight in results.weights], drawings.KEY, results.weights),
    ]
    for index, (name, numbers, colour, strengths) in enumerate(rows):
        shaded = [[max(0.08, strength) for strength in strengths]]
        names = TOKENS[:count] if index == 0 else ()
        y = 2.75 - 0.72 * index
        drawings.cells(
            axes, [numbers], 1.5, y, size=0.6, colour=colour, strengths=shaded, column_names=names, row_names=[name]
        )
    drawings.text(axes, f"last: {results.last:.3f} nats", 4.8, 1.0, align="left", bold=True)
    drawings.text(axes, f"every: {results.every:.3f} nats", 4.8, 0.29, align="left", bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
