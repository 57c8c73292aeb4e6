"""What does a score say if the network was left in training mode?

    uv run sprints/03_models_and_training_loops/forgotten_eval.py

A network with batch normalisation and dropout is trained as it should be and then evaluated without eval(): with
dropout on, and with a norm that takes its statistics from the batch. Theory: notes/07_training_and_evaluation.md
"""

import copy
import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.digits import Digits, load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Train = Annotated[int, Field(ge=32, le=1497)]  # of 1,797 images; 300 validate


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 128  # hidden units
    train: Train = 598  # images to train on; the next 300 validate
    epochs: PositiveInt = 20  # passes over them
    repeats: AtLeastTwo = 20  # evaluations with different dropout or order
    batch_sizes: tuple[AtLeastTwo, ...] = (2, 4, 8, 16, 32, 64, 128, 300)  # batches to evaluate in

    def check(self) -> None:
        if alone := [size for size in self.batch_sizes if 300 % size == 1]:
            raise ValueError(
                f"a norm cannot take statistics of one image; 300 images in batches of {alone[0]} leave one over: "
                "give other --batch-sizes"
            )


@dataclass(frozen=True)
class Results:
    right: float
    dropout_left_on: list[float]
    dropout_changes_its_mind: float
    batch_sizes: list[int]
    norm_left_on_shuffled: list[float]
    norm_left_on_by_class: list[float]
    eval_afterwards: list[float]


def load_parts(train: int) -> tuple[Digits, Digits]:
    """Return the first images of digits to train on and the next 300 to validate."""
    pixels, labels = load_flat_digits()
    return (pixels[:train], labels[:train]), (pixels[train : train + 300], labels[train : train + 300])


def train_network(config: Config, part: Digits) -> nn.Sequential:
    """Return a trained network, in evaluation mode."""
    generator = seed_everything(config.seed)
    network = nn.Sequential(
        nn.Linear(64, config.hidden),
        nn.BatchNorm1d(config.hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(config.hidden, 10),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(config.epochs):
        # The last batch is left out if it is smaller: statistics of a few images are poor, of one there are none.
        for batch in torch.randperm(len(part[1]), generator=generator).unfold(0, 32, 32):
            optimizer.zero_grad()
            functional.cross_entropy(network(part[0][batch]), part[1][batch]).backward()
            optimizer.step()
    return network.eval()


def left_on(network: nn.Sequential, kind: type[nn.Module]) -> nn.Sequential:
    """Return a copy in which the layers of one kind are in training mode."""
    forgotten = copy.deepcopy(network)
    for layer in forgotten:
        layer.train(isinstance(layer, kind))
    return forgotten


@torch.no_grad()
def predict(network: nn.Module, pixels: Tensor, order: Tensor | None = None, batch_size: int = 300) -> Tensor:
    """Return the predicted classes in the mode that the network is in, batch by batch in an order."""
    order = torch.arange(len(pixels)) if order is None else order
    predictions = torch.empty(len(pixels), dtype=torch.long)
    for batch in order.split(batch_size):
        predictions[batch] = network(pixels[batch]).argmax(-1)
    return predictions


def accuracy(predictions: Tensor, labels: Tensor) -> float:
    return (predictions == labels).double().mean().item()


def main(config: Config) -> Results:
    training, (pixels, labels) = load_parts(config.train)
    network = train_network(config, training)
    dropping = [predict(left_on(network, nn.Dropout), pixels) for _ in range(config.repeats)]
    unchanged = [accuracy(before, after) for before, after in pairwise(dropping)]

    generator, by_class = seed_everything(config.seed), labels.argsort(stable=True)
    shuffled_scores, by_class_scores, afterwards = [], [], []
    for size in tqdm(config.batch_sizes, desc="batch sizes"):
        scores = []
        for _ in range(config.repeats):
            order = torch.randperm(len(labels), generator=generator)
            scores.append(accuracy(predict(left_on(network, nn.BatchNorm1d), pixels, order, size), labels))
        shuffled_scores.append(statistics.mean(scores))
        normalizing = left_on(network, nn.BatchNorm1d)
        by_class_scores.append(accuracy(predict(normalizing, pixels, by_class, size), labels))
        # In training mode the norm has also overwritten its running statistics: eval() comes too late.
        afterwards.append(accuracy(predict(normalizing.eval(), pixels), labels))
    results = Results(
        right=accuracy(predict(network, pixels), labels),
        dropout_left_on=[accuracy(predictions, labels) for predictions in dropping],
        dropout_changes_its_mind=1 - statistics.mean(unchanged),
        batch_sizes=list(config.batch_sizes),
        norm_left_on_shuffled=shuffled_scores,
        norm_left_on_by_class=by_class_scores,
        eval_afterwards=afterwards,
    )
    print(f"as it should be: {results.right:.1%}")
    print(f"dropout left on: {min(results.dropout_left_on):.1%} to {max(results.dropout_left_on):.1%}")
    print("norm left on, by size of the batch: shuffled, sorted by class, eval() after that")
    for size, *row in zip(config.batch_sizes, shuffled_scores, by_class_scores, afterwards, strict=True):
        print(f"{size:>10}" + "".join(f"{score:>10.1%}" for score in row))
    return results


def plot(results: Results) -> Figure:
    """Draw the accuracy by size of the batch, with the norm in training mode."""
    figure, axes = new_figure()
    axes.axhline(results.right, color="black", linestyle="--", label="evaluation mode")
    axes.plot(results.batch_sizes, results.norm_left_on_shuffled, marker="o", label="training mode, shuffled")
    axes.plot(results.batch_sizes, results.norm_left_on_by_class, marker="s", label="training mode, sorted by class")
    axes.plot(results.batch_sizes, results.eval_afterwards, marker="^", label="evaluation mode after that")
    axes.set(xlabel="images of a batch", ylabel="accuracy", xscale="log", ylim=(0, 1.02))
    axes.set_xticks(results.batch_sizes, [str(size) for size in results.batch_sizes])
    axes.set_xticks([], minor=True)
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED, "batch_sizes.*": EXACT})
