"""What is scored when a model is trained on a sentence, and what if the labels are shifted twice?

    uv run sprints/12_finetune_gpt2_generative/teacher_forcing.py
    uv run sprints/12_finetune_gpt2_generative/teacher_forcing.py --probabilities 0.9 0.9 0.9

The model reads the true text, never its own guesses, and is asked for the next token at every place at once.
Theory: notes/02_fine_tuning.md and notes/08_easy_to_get_wrong.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFraction
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: tuple[str, ...] = ("we", "let", "it", "simmer")  # the text, a token each
    probabilities: tuple[PositiveFraction, ...] = (0.5, 0.25, 0.125)  # what the model gives each true next token

    def check(self) -> None:
        if len(self.probabilities) != len(self.words) - 1 or len(self.words) < 3:
            raise ValueError(
                "every word but the first is predicted, and there are three words or more; got "
                f"{len(self.words)} words and {len(self.probabilities)} probabilities"
            )


@dataclass(frozen=True)
class Results:
    """`twice` is the text that a model learns whose labels are shifted twice, beside what it then reads."""

    inputs: list[str]
    targets: list[str]
    losses: list[float]
    mean: float
    perplexity: float
    twice: list[str]


def main(config: Config) -> Results:
    inputs, targets = list(config.words[:-1]), list(config.words[1:])
    losses = [-math.log(probability) for probability in config.probabilities]
    mean = sum(losses) / len(losses)
    for read, target, probability, loss in zip(inputs, targets, config.probabilities, losses, strict=True):
        print(f"after {read}: {target} has probability {probability:g}, {loss:.3f} nats")
    print(f"mean {mean:.3f} nats per token, perplexity {math.exp(mean):.3f}")
    return Results(inputs, targets, losses, mean, math.exp(mean), list(config.words[2:]))


def plot(results: Results) -> Figure:
    """Draw what is read, what is to be predicted, the losses, and what two shifts would make of it."""
    places, size = len(results.inputs), 0.75
    figure, axes = drawings.canvas(places * 1.5 + 3.6, 4.7)
    for place in range(places):
        x = 2.2 + 1.5 * place
        drawings.cells(axes, [[results.inputs[place]]], x, 1.15, colour=drawings.KEY, size=size)
        drawings.arrow(axes, (x + size / 2, 1.2), (x + size / 2, 1.65))
        drawings.cells(axes, [[results.targets[place]]], x, 2.9, colour=drawings.VALUE, size=size)
        drawings.cells(axes, [[f"{results.losses[place]:.3f}"]], x, 3.8, colour=drawings.MIXED, size=size)
        wrong = results.twice[place] if place < len(results.twice) else ""
        drawings.cells(axes, [[wrong or None]], x, 4.65, size=size)
    drawings.box(axes, "model: each place sees what stands left of it, and itself", 2.1, 1.65, 1.5 * places - 0.55, 0.4)
    names = ((0.78, "it reads"), (2.52, "target: the next"), (3.42, "nats"), (4.27, "shifted twice"))
    for y, name in names:
        drawings.text(axes, name, 0.15, y, align="left", bold=True)
    drawings.text(axes, f"mean {results.mean:.3f}", 2.25 + 1.5 * places, 3.42, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
