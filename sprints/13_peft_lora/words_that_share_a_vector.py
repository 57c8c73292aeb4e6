"""Why can no adapter in the blocks tell words apart that share one vector? Four words, every number of it.

    uv run sprints/13_peft_lora/words_that_share_a_vector.py
    uv run sprints/13_peft_lora/words_that_share_a_vector.py --hidden 5 5

*yuzu* and *lard* were never read in pre-training, and have ended up with one vector. The blocks may put any vector in
front of the head. Theory: notes/05_new_words.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

WORDS = ("salt", "rice", "yuzu", "lard")
VECTORS = ((2.0, 0.0), (0.0, 2.0), (-1.0, -1.0), (-1.0, -1.0))
UNSEEN = COLOURS[3]


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: tuple[float, float] = (-2.0, -2.0)  # what the blocks put in front of the head


@dataclass(frozen=True)
class Results:
    hidden: list[float]
    logits: list[float]
    probabilities: list[float]
    loss_of_yuzu: float
    bound: float


def main(config: Config) -> Results:
    logits = [sum(h * w for h, w in zip(config.hidden, vector, strict=True)) for vector in VECTORS]
    powers = [math.exp(logit - max(logits)) for logit in logits]
    probabilities = [power / sum(powers) for power in powers]
    for word, logit, probability in zip(WORDS, logits, probabilities, strict=True):
        print(f"{word}: logit {logit:g}, probability {probability:.4f}")
    loss = max(logits) + math.log(sum(powers)) - logits[2]  # the probability itself may be too small for a float
    bound = math.log(2)
    print(f"the loss of yuzu is {loss:.4f} nats; with two words on one vector it is never below ln 2 = {bound:.4f}")
    return Results(list(config.hidden), logits, probabilities, loss, bound)


def plot(results: Results) -> Figure:
    """Draw how a hidden vector becomes logits and probabilities; the words that share a vector in orange."""
    figure, axes = drawings.canvas(8.6, 3.0)
    drawings.box(axes, "blocks\nwith any adapter", 0.2, 1.0, 1.5, 0.9)
    drawings.arrow(axes, (1.75, 1.45), (2.3, 1.45))
    drawings.cells(axes, [[number] for number in results.hidden], 2.4, 1.95, title="h")
    drawings.arrow(axes, (3.0, 1.45), (3.75, 1.45), "w · h")
    for row, (word, vector) in enumerate(zip(WORDS, VECTORS, strict=True)):
        y, colour = 2.45 - 0.5 * row, UNSEEN if row > 1 else drawings.TOKEN
        drawings.cells(axes, [vector], 4.35, y, colour=colour, row_names=[word], title="w" if row == 0 else "")
        title = "logit" if row == 0 else ""
        drawings.cells(axes, [[results.logits[row]]], 6.1, y, colour=colour, title=title)
        title = "probability" if row == 0 else ""
        drawings.cells(axes, [[f"{results.probabilities[row]:.4f}"]], 7.5, y, colour=colour, title=title)
    drawings.arrow(axes, (5.45, 1.45), (6.0, 1.45))
    drawings.arrow(axes, (6.7, 1.45), (7.4, 1.45), "softmax")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
