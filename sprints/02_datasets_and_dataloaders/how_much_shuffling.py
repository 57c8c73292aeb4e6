"""How well does a stream have to be shuffled? A buffer that draws, from none to the whole data set.

    uv run sprints/02_datasets_and_dataloaders/how_much_shuffling.py

The training digits arrive sorted by class, the worst case. Softmax regression passes over them a few times and is
scored on the other half. Theory: notes/07_streams.md
"""

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import Digits, halves, load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    buffers: tuple[PositiveInt, ...] = (1, 30, 100, 300, 898)  # items that the buffer holds
    epochs: PositiveInt = 5  # passes over the training digits
    batch_size: PositiveInt = 32  # items of a batch
    learning_rate: PositiveFloat = 0.3  # of stochastic gradient descent
    seeds: PositiveInt = 5  # seeds of the shuffling


@dataclass(frozen=True)
class Results:
    buffers: list[int]
    accuracy: list[list[float]]
    classes_per_batch: list[float]
    majority: float
    logistic_regression: float


class ShuffleBuffer(IterableDataset[Any]):
    """A stream in a random order, as far as a buffer of some items allows.

    The buffer is filled; then a random item leaves it and the next one of the stream takes its place. A buffer of 1
    changes nothing, one as large as the stream shuffles it perfectly. An item arrives at most size - 1 places early,
    but it may arrive as late as chance will have it.

    Raises:
        ValueError: a buffer that holds nothing.
    """

    def __init__(self, stream: Iterable[Any], size: int, generator: torch.Generator) -> None:
        if size < 1:
            raise ValueError(f"a buffer must hold at least 1 item; got {size}")
        self.stream, self.size, self.generator = stream, size, generator

    def __iter__(self) -> Iterator[Any]:
        buffer: list[Any] = []
        for item in self.stream:
            if len(buffer) < self.size:
                buffer.append(item)
                continue
            drawn = int(torch.randint(self.size, (), generator=self.generator))
            yield buffer[drawn]
            buffer[drawn] = item
        yield from (buffer[drawn] for drawn in torch.randperm(len(buffer), generator=self.generator).tolist())


def train(loader: DataLoader, config: Config) -> tuple[nn.Linear, float]:
    """Return softmax regression trained on the batches, and the mean number of classes in a batch."""
    model = nn.Linear(64, 10)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer, classes = torch.optim.SGD(model.parameters(), lr=config.learning_rate), []
    for _ in range(config.epochs):
        for images, labels in loader:
            classes.append(len(labels.unique()))
            loss = functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if not model.weight.isfinite().all():
        raise ValueError(f"training left the numbers at --learning-rate {config.learning_rate:g}: give a lower one")
    return model, statistics.mean(classes)


def sorted_halves() -> tuple[Digits, Digits]:
    """Return the first half of the digits, sorted by class, and the second half: (items, 64), and labels."""
    (images, labels), test = halves(load_flat_digits())
    order = labels.argsort(stable=True)
    return (images[order], labels[order]), test


def main(config: Config) -> Results:
    (images, labels), (held_out, answers) = sorted_halves()
    accuracy: list[list[float]] = []
    classes: list[float] = []
    for size in tqdm(config.buffers, unit="buffer"):
        accuracy.append([])
        for seed in range(config.seed, config.seed + config.seeds):
            stream = ShuffleBuffer(list(zip(images, labels, strict=True)), size, seed_everything(seed))
            model, mean_classes = train(DataLoader(stream, batch_size=config.batch_size), config)
            accuracy[-1].append((model(held_out).argmax(1) == answers).double().mean().item())
        classes.append(mean_classes)
    library = LogisticRegression(max_iter=1000).fit(images, labels)
    results = Results(
        buffers=list(config.buffers),
        accuracy=accuracy,
        classes_per_batch=classes,
        majority=(answers == labels.bincount().argmax()).double().mean().item(),
        logistic_regression=float(library.score(held_out, answers)),
    )
    print(f"majority {results.majority:.1%}, logistic regression to convergence {results.logistic_regression:.1%}")
    for size, by_seed, mean_classes in zip(config.buffers, accuracy, classes, strict=True):
        right = f"{statistics.mean(by_seed):.1%} +- {statistics.pstdev(by_seed):.1%} right"
        print(f"buffer {size:>5}: {mean_classes:.1f} classes in a batch, {right}")
    return results


def plot(results: Results) -> Figure:
    """Draw the accuracy by the size of the buffer, every seed a point."""
    figure, axes = new_figure()
    axes.plot(results.buffers, [statistics.mean(by_seed) for by_seed in results.accuracy], marker="o", label="mean")
    for size, by_seed in zip(results.buffers, results.accuracy, strict=True):
        axes.plot([size] * len(by_seed), by_seed, ".", color="grey")
    axes.axhline(results.logistic_regression, color="black", label="the same classifier, trained to the end")
    axes.axhline(results.majority, color="grey", linestyle="--", label="majority")
    axes.set(xscale="log", xlabel="items in the buffer", ylabel="accuracy on the other half", ylim=(0, 1))
    axes.set_xticks(results.buffers, [str(size) for size in results.buffers], minor=False)
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.92))
    return figure


if __name__ == "__main__":
    run(
        main,
        Config,
        plot=plot,
        tolerance={"accuracy.*": Tolerance(absolute=0.01), "logistic_regression": Tolerance(absolute=0.01)},
    )
