"""What does a mixture of experts compute? Four words, four experts, every number of it.

    uv run sprints/19_transformer_variants/experts_by_hand.py
    uv run sprints/19_transformer_variants/experts_by_hand.py --top-k 1

A word has two features, and expert 1, 2, 3 or 4 returns 1, 2, 3 or 4 times their sum, so that all of it fits on paper.
The last lines are what `shared/nn/mixture_of_experts.py` gives. Theory: notes/14_experts.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.mixture_of_experts import balance_of_layer, check_experts, route

WORDS = ("warm", "the", "butter", "darling")
FEATURES = ((2.0, 0.0), (1.0, 0.0), (2.0, 1.0), (0.0, 2.0))
ROUTER = ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (-1.0, -1.0))
EXPERTS = range(len(ROUTER))


@dataclass(frozen=True)
class Config(ScriptConfig):
    top_k: PositiveInt = 2  # experts that a word is sent to

    def check(self) -> None:
        check_experts(len(ROUTER), self.top_k)


@dataclass(frozen=True)
class Word:
    """What happens to one word: experts are counted from 0."""

    logits: list[float]
    probabilities: list[float]
    chosen: list[int]
    weights: list[float]
    output: float


@dataclass(frozen=True)
class Results:
    words: list[Word]
    sent: list[list[int]]
    load: list[float]
    probability: list[float]
    balance: float
    balance_at_once: float
    expert_runs: int


def send(features: tuple[float, float], top_k: int) -> Word:
    """Route one word and mix what its experts return."""
    logits = [sum(feature * weight for feature, weight in zip(features, row, strict=True)) for row in ROUTER]
    powers = [math.exp(logit) for logit in logits]
    probabilities = [power / sum(powers) for power in powers]
    chosen = sorted(EXPERTS, key=lambda expert: -probabilities[expert])[:top_k]
    weights = [probabilities[expert] / sum(probabilities[other] for other in chosen) for expert in chosen]
    outputs = [(expert + 1) * sum(features) for expert in chosen]
    return Word(
        logits,
        probabilities,
        chosen,
        weights,
        sum(weight * output for weight, output in zip(weights, outputs, strict=True)),
    )


def main(config: Config) -> Results:
    words = [send(features, config.top_k) for features in FEATURES]
    for name, word in zip(WORDS, words, strict=True):
        shares = ", ".join(f"{probability:.3f}" for probability in word.probabilities)
        parts = " + ".join(f"{w:.3f} of expert {e + 1}" for w, e in zip(word.weights, word.chosen, strict=True))
        print(f"{name}: probabilities {shares}; {parts} = {word.output:.3f}")
    sent = [[index for index, word in enumerate(words) if expert in word.chosen] for expert in EXPERTS]
    for expert, indices in enumerate(sent):
        print(f"expert {expert + 1} runs on {', '.join(WORDS[index] for index in indices) or 'nothing'}")
    load = [len(indices) / len(words) for indices in sent]
    probability = [sum(word.probabilities[expert] for word in words) / len(words) for expert in EXPERTS]
    balance = len(ROUTER) * sum(f * p for f, p in zip(load, probability, strict=True))
    at_once = balance_of_layer(route(torch.tensor(FEATURES) @ torch.tensor(ROUTER).T, config.top_k)).item()
    print(f"loads {load}, mean probabilities {', '.join(f'{p:.3f}' for p in probability)}")
    print(f"balance loss {balance:.3f}, at once {at_once:.3f}; if all were even it would be {config.top_k}")
    return Results(words, sent, load, probability, balance, at_once, sum(map(len, sent)))


def plot(results: Results) -> Figure:
    """Draw the way of the words from left to right: scores, probabilities, experts, what comes back."""
    figure, axes = drawings.canvas(9.8, 4.0)
    names = [str(expert + 1) for expert in EXPERTS]
    drawings.cells(
        axes, [word.logits for word in results.words], 0.8, 3.1, colour=drawings.KEY, size=0.5,
        row_names=WORDS, column_names=names, title="scores of the experts",
    )  # fmt: skip
    drawings.arrow(axes, (2.85, 2.1), (3.5, 2.1), "softmax")
    shown = [[round(probability, 3) for probability in word.probabilities] for word in results.words]
    strengths = [[0.65 if expert in word.chosen else 0.1 for expert in EXPERTS] for word in results.words]
    drawings.cells(
        axes, shown, 3.6, 3.1, colour=drawings.KEY, size=0.5, column_names=names, strengths=strengths,
        title=f"probabilities, the {len(results.words[0].chosen)} largest dark",
    )  # fmt: skip
    drawings.cells(axes, [results.load], 3.6, 0.85, colour=drawings.TOKEN, size=0.5, row_names=["load"])
    for expert, indices in enumerate(results.sent):
        y = 2.68 - 0.6 * expert
        if indices:
            drawings.arrow(axes, (5.65, y + 0.2), (6.2, y + 0.2), "dispatch" if expert == 0 else "")
        held = f"{expert + 1}: " + (", ".join(WORDS[index] for index in indices) or "nobody: it does not run")
        drawings.box(axes, held, 6.3, y, 2.25, 0.42, drawings.VALUE)
    drawings.text(axes, "experts and who comes", 7.4, 3.52, bold=True)
    drawings.arrow(axes, (8.6, 2.1), (9.15, 2.1), "mix")
    outputs = [[round(word.output, 2)] for word in results.words]
    drawings.cells(axes, outputs, 9.2, 3.1, colour=drawings.MIXED, size=0.5, title="output")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
