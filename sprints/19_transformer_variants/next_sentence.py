"""Does the second sentence belong to the first? And what if the loss ignores label 0, which means "yes"?

    uv run sprints/19_transformer_variants/next_sentence.py
    uv run sprints/19_transformer_variants/next_sentence.py --seeds 1 --steps 100

A sentence is four words of one topic; the second one has the same topic (label 0) or another (label 1). Both models
have the same pairs, steps and search for their rate. Theory: notes/02_bert.md
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, AtLeastTwo, Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.bert import BertConfig
from shared.nn.bert_classifier import SequenceClassifier
from variants.topics import Pairs, Topics, draw_pairs
from variants.trials import fit, search_and_repeat

ARMS = {"both labels": -100, "ignore_index=0": 0}  # the label that the loss leaves out
SHOWN = 40  # points of a curve


@dataclass(frozen=True)
class Config(ScriptConfig):
    topics: AtLeastTwo = 4  # topics
    words: PositiveInt = 6  # words of a topic
    length: PositiveInt = 4  # words of a sentence
    d_model: PositiveInt = 32  # features of a token, a multiple of 4
    layers: PositiveInt = 2  # blocks
    steps: PositiveInt = 1000  # optimizer steps
    batch_size: PositiveInt = 64  # pairs of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-3, 3e-3)  # learning rates that are tried
    pairs: Annotated[int, Field(ge=100, le=MOST)] = 2000  # new pairs that are measured
    seeds: PositiveInt = 5  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, 4)


@dataclass(frozen=True)
class Run:
    """The loss that training showed, step by step, and what the model gets right of new pairs of each label."""

    printed: list[float]
    accuracy: float
    same_topic: float
    other_topic: float
    loss: float


@dataclass(frozen=True)
class Arm:
    rate: float
    searched: dict[str, float]
    runs: list[Run]
    accuracy: MeanInterval


@dataclass(frozen=True)
class Results:
    steps: list[int]
    arms: dict[str, Arm]


def pair_loss(model: nn.Module, pairs: Pairs, ignored: int) -> tuple[Tensor, int]:
    """Return the summed loss in nats and the number of pairs that it counts."""
    tokens, segments, labels = pairs
    logits = model(tokens, None, segments)
    return functional.cross_entropy(logits, labels, ignore_index=ignored, reduction="sum"), int(
        (labels != ignored).sum()
    )


def train(config: Config, ignored: int, rate: float, seed: int) -> Run:
    generator = seed_everything(seed)
    world = Topics(config.topics, config.words, config.length)
    size = BertConfig(world.vocab_size, world.tokens, config.layers, 4, config.d_model)
    model = SequenceClassifier(size, 2, generator)

    def batches() -> Iterator[Pairs]:
        while True:
            yield draw_pairs(world, config.batch_size, generator)

    training = fit(model, batches(), partial(pair_loss, ignored=ignored), config.steps, rate)
    printed = list(tqdm(training, total=config.steps, desc=f"rate {rate:g}, seed {seed}"))
    with torch.no_grad():
        tokens, segments, labels = draw_pairs(world, config.pairs, generator)
        logits = model.eval()(tokens, None, segments)
    right = (logits.argmax(dim=-1) == labels).float()
    loss = functional.cross_entropy(logits, labels).item()
    return Run(printed, right.mean().item(), right[labels == 0].mean().item(), right[labels == 1].mean().item(), loss)


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # tiny shapes
    marks = sorted({round(1 + i * (config.steps - 1) / (SHOWN - 1)) for i in range(SHOWN)})
    arms = {}
    for name, ignored in ARMS.items():
        trials = search_and_repeat(
            partial(train, config, ignored), lambda found: found.loss, config.rates, config.seeds, config.seed
        )
        runs = [replace(found, printed=[found.printed[mark - 1] for mark in marks]) for found in trials.runs]
        accuracy = mean_interval([found.accuracy for found in runs])
        arms[name] = Arm(trials.rate, trials.searched, runs, accuracy)
        last = sum(found.printed[-1] for found in runs) / len(runs)
        print(f"{name}: training ends at {last:.4f}, accuracy {show_interval(*accuracy, '.3f')}")
    return Results(marks, arms)


def plot(results: Results) -> Figure:
    """Draw the loss that training shows, and the accuracy on new pairs of each label."""
    figure, (left, right) = new_figure(9.4, 3.4, columns=2)
    for index, (name, arm) in enumerate(results.arms.items()):
        for found in arm.runs:
            left.plot(results.steps, [max(loss, 1e-4) for loss in found.printed], color=f"C{index}", alpha=0.7)
        left.text(0.97, 0.9 - 0.09 * index, name, color=f"C{index}", ha="right", transform=left.transAxes)
        for place, label in enumerate(("same_topic", "other_topic")):
            values = [getattr(found, label) for found in arm.runs]
            right.scatter([place + 0.2 * index - 0.1] * len(values), values, color=f"C{index}", s=22, alpha=0.7)
    left.set(yscale="log", ylim=(None, 2), xlabel="optimizer step", ylabel="loss that training shows, nats per pair")
    right.set(xticks=(0, 1), xticklabels=("label 0: same topic", "label 1: another"), ylim=(-0.05, 1.05))
    right.set(ylabel="accuracy on new pairs", xlim=(-0.5, 1.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
