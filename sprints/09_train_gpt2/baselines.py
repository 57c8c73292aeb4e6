"""What can be had without a neural network? N-gram models of every order, between guessing and the optimum.

    uv run sprints/09_train_gpt2/baselines.py
    uv run sprints/09_train_gpt2/baselines.py --data tinyshakespeare

Theory: notes/01_what_is_a_language_model.md
"""

import math
import time
from dataclasses import dataclass

from matplotlib.figure import Figure

from pretraining_study.named_corpora import load_corpus
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.text.ngrams import KneserNey, WittenBell

PRESETS = {
    "tinyshakespeare": {"data": "tinyshakespeare", "orders": (1, 2, 3, 4, 5, 6, 7)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: str = "cookbook"  # cookbook, tinyshakespeare (characters) or a text file (characters)
    tokens: AtLeastTwo = 1_000_000  # training tokens
    orders: tuple[PositiveInt, ...] = (1, 2, 3, 4, 5, 6)  # tokens of an n-gram


@dataclass(frozen=True)
class Results:
    orders: list[int]
    kneser_ney: list[float]
    witten_bell: list[float]
    seconds: list[float]
    uniform: float
    optimum: float | None
    train_tokens: int
    validation_tokens: int


def main(config: Config) -> Results:
    corpus = load_corpus(config.data)
    documents, unseen = corpus.train_documents(config.tokens), corpus.validation_documents()
    size, losses, seconds = corpus.tokenizer.vocab_size, {KneserNey: [], WittenBell: []}, []
    print(f"uniform      {math.log(size):.4f} nats per token")
    for order in config.orders:
        began = time.perf_counter()
        for kind, by_order in losses.items():
            by_order.append(kind(order, size).fit(documents).loss(unseen))
        seconds.append((time.perf_counter() - began) / 2)
        print(f"{order}-gram       Kneser-Ney {losses[KneserNey][-1]:.4f}, Witten-Bell {losses[WittenBell][-1]:.4f}")
    optimum = corpus.optimum()
    if optimum is not None:
        print(f"optimum      {optimum:.4f}")
    return Results(
        orders=list(config.orders),
        kneser_ney=losses[KneserNey],
        witten_bell=losses[WittenBell],
        seconds=seconds,
        uniform=math.log(size),
        optimum=optimum,
        train_tokens=sum(map(len, documents)),
        validation_tokens=sum(map(len, unseen)),
    )


def plot(results: Results) -> Figure:
    """Draw the loss by order above the optimum, if it is known, and what the other smoothing loses or gains."""
    figure, (left, right) = new_figure(9.0, 3.8, columns=2)
    left.plot(results.orders, results.kneser_ney, marker="o")
    if results.optimum is not None:
        left.axhline(results.optimum, color="black", linewidth=1)
        left.text(results.orders[-1], results.optimum + 0.08, "optimum", ha="right")
    left.set(title="modified Kneser-Ney", ylabel="nats per token", ylim=(0, None))
    other = [one - two for one, two in zip(results.witten_bell, results.kneser_ney, strict=True)]
    right.plot(results.orders, other, marker="s", color="C3")
    right.axhline(0, color="black", linewidth=1)
    right.set(title="Witten-Bell minus Kneser-Ney", ylabel="nats per token")
    for axes in (left, right):
        axes.set(xlabel="order: tokens of an n-gram", xticks=results.orders)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
