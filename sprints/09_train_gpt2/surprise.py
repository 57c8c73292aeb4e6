"""How wrong is a prediction? Nats, bits and perplexity of five words, and why counting has the least loss.

    uv run sprints/09_train_gpt2/surprise.py
    uv run sprints/09_train_gpt2/surprise.py --probabilities 0.1 0.1 0.1 0.1

The probabilities are those that `count_and_predict.py` gives to the words of ". the cat ran .". Theory:
notes/02_cross_entropy.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFraction
from shared.lab.run import run
from shared.training.losses import next_token_loss, perplexity

FourShares = tuple[PositiveFraction, PositiveFraction, PositiveFraction, PositiveFraction]
Count = Annotated[int, Field(ge=1, le=1000)]
TEXT = (".", "the", "cat", "ran", ".")


@dataclass(frozen=True)
class Config(ScriptConfig):
    # What the model gave to each of the words that came, but the first.
    probabilities: tuple[PositiveFraction, PositiveFraction, PositiveFraction, PositiveFraction] = (
        1.0,
        2 / 3,
        0.5,
        1.0,
    )
    cats: tuple[Count, Count] = (2, 1)  # how often cat and dog came after "the"


@dataclass(frozen=True)
class Results:
    probabilities: list[float]
    nats: list[float]
    mean_nats: float
    mean_bits: float
    perplexity: float
    by_losses: float
    shares: list[float]
    losses_of_shares: list[float]
    best_share: float


def main(config: Config) -> Results:
    nats = [math.log(1 / probability) for probability in config.probabilities]
    mean = sum(nats) / len(nats)
    # The same by the function that trains: logits of two words, of which the first one comes.
    logits = torch.tensor([[math.log(p), math.log(max(1 - p, 1e-30))] for p in config.probabilities])
    by_losses = next_token_loss(logits[None], torch.zeros(1, 5, dtype=torch.long)).item()
    cat, dog = config.cats
    shares = [index / 100 for index in range(5, 96)]
    losses = [-(cat * math.log(share) + dog * math.log(1 - share)) / (cat + dog) for share in shares]
    results = Results(
        list(config.probabilities), nats, mean, mean / math.log(2), perplexity(mean), by_losses, shares, losses,
        best_share=cat / (cat + dog),
    )  # fmt: skip
    for word, probability, loss in zip(TEXT[1:], config.probabilities, nats, strict=True):
        print(f"{word:<5} probability {probability:.3f}, {loss:.3f} nats")
    print(f"mean {mean:.3f} nats = {results.mean_bits:.3f} bits, perplexity {results.perplexity:.3f}")
    print(f"by shared/training/losses.py: {by_losses:.3f} nats")
    return results


def plot(results: Results) -> Figure:
    """Draw the words with what each costs, and the loss after "the" by the probability of "cat"."""
    figure, (left, right) = new_figure(9.6, 3.4, columns=2)
    left.set(xlim=(0, 4.8), ylim=(0, 3.4), aspect="equal")
    left.axis("off")
    size = 0.62
    rows = (
        ("reads", list(TEXT[:-1]), drawings.QUERY),
        ("predicts", list(TEXT[1:]), drawings.VALUE),
        ("probability", [f"{p:.3g}" for p in results.probabilities], drawings.TOKEN),
        ("nats", [f"{loss:.3f}" for loss in results.nats], drawings.MIXED),
    )
    for index, (name, cells, colour) in enumerate(rows):
        drawings.cells(left, [cells], 1.1, 3.2 - 0.75 * index, size=size, colour=colour, row_names=[name])
    words = f"mean {results.mean_nats:.3f} nats = {results.mean_bits:.3f} bits\nperplexity {results.perplexity:.3f}"
    drawings.text(left, words, 2.3, 0.05, bold=True)
    right.plot(results.shares, results.losses_of_shares)
    least = min(results.losses_of_shares)
    right.plot([results.best_share], [least], "o", color="C3")
    right.annotate(
        f"least at {results.best_share:.2f}: {least:.3f} nats", (results.best_share, least), (0.3, least + 0.35),
        arrowprops={"arrowstyle": "->"},
    )  # fmt: skip
    right.set(xlabel='probability of "cat" after "the"', ylabel="mean loss, nats", ylim=(0, None))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
