"""What does a whole training run look like, from the split of the data to the one look at the test set?

    uv run sprints/03_models_and_training_loops/train_digits.py

Digits, first half to train and second half to test. The end of the first half validates: it says how many epochs to
train. Then the network is trained anew on the whole first half, as the baselines are, and all are tested once.
Theory: notes/07_training_and_evaluation.md and notes/08_train_validation_test.md
"""

import math
import statistics
from dataclasses import dataclass
from itertools import pairwise

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import Digits, load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import NonNegativeFloat, PositiveFloat, PositiveInt, Share
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from training_study.classifiers import classifiers

# The validation loss is flat around its minimum: which epoch is the lowest hangs on the last digits.
TOLERANCE = {"*": TRAINED, "sizes.*": EXACT, "epochs.*": Tolerance(0.5), "baselines.*": Tolerance(absolute=0.003)}
BASELINES = ("most frequent class", "logistic regression", "support vectors")


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 256  # hidden units
    dropout: Share = 0.5  # probability of dropping a hidden unit
    epochs: PositiveInt = 60  # most passes over the training data
    batch_size: PositiveInt = 32  # images of a batch
    learning_rate: PositiveFloat = 1e-3  # of AdamW
    weight_decay: NonNegativeFloat = 0.01  # of AdamW
    seeds: PositiveInt = 5  # networks to train, with seeds from --seed on


@dataclass(frozen=True)
class Results:
    sizes: dict[str, int]
    train_losses: list[float]
    validation_losses: list[float]
    epochs: list[int]
    validation_accuracies: list[float]
    baselines: dict[str, float]
    accuracies: list[float]
    mean: float
    deviation: float
    standard_error: float


@dataclass(frozen=True)
class EpochScores:
    train_loss: float
    validation_loss: float
    validation_accuracy: float


class TestSet:
    """Data that can be looked at once; whoever looks twice is choosing on it."""

    def __init__(self, part: Digits) -> None:
        self._part: Digits | None = part

    def open(self) -> Digits:
        """Return the data.

        Raises:
            ValueError: it has been opened before.
        """
        if self._part is None:
            raise ValueError("the test set may be opened once, this is the second time: choose on the validation set")
        part, self._part = self._part, None
        return part


def load_splits(device: torch.device) -> tuple[Digits, Digits, TestSet]:
    """Return the first two fifths of digits to train, the next tenth to validate, and the second half, sealed.

    They are not shuffled: neighbours in the file look alike, and `honest_split.py` measures what that is worth.
    """
    pixels, labels = (part.to(device) for part in load_flat_digits())
    half = len(labels) // 2
    ends = (0, half * 4 // 5, half, len(labels))
    train, validation, test = ((pixels[a:b], labels[a:b]) for a, b in pairwise(ends))
    return train, validation, TestSet(test)


def make_network(config: Config) -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, config.hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(config.hidden, 10)
    )


def train_epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, part: Digits, batch_size: int, generator: torch.Generator
) -> float:
    """Pass over the data once in random order; return the mean loss, or raise ValueError if it is no number."""
    pixels, labels = part
    network.train()
    total = 0.0
    for batch in torch.randperm(len(labels), generator=generator).to(labels.device).split(batch_size):
        loss = functional.cross_entropy(network(pixels[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    if not math.isfinite(total):
        raise ValueError(f"the training loss is {total}: a lower --learning-rate may help")
    return total / len(labels)


@torch.no_grad()
def evaluate(network: nn.Module, part: Digits) -> tuple[float, Tensor]:
    """Return the mean loss in evaluation mode, and the predicted classes."""
    network.eval()
    logits = network(part[0])
    return functional.cross_entropy(logits, part[1]).item(), logits.argmax(-1)


def accuracy(predictions: Tensor, labels: Tensor) -> float:
    return (predictions == labels).double().mean().item()


def fit(
    config: Config, seed: int, epochs: int, train: Digits, validation: Digits | None
) -> tuple[nn.Module, list[EpochScores]]:
    """Train a network; return it and, if there is data to validate on, its history."""
    generator, history = seed_everything(seed), []
    network = make_network(config).to(train[0].device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    bar = tqdm(range(epochs), desc=f"seed {seed}, {len(train[1])} images", leave=False)
    for _ in bar:
        train_loss = train_epoch(network, optimizer, train, config.batch_size, generator)
        if validation is not None:
            loss, predictions = evaluate(network, validation)
            history.append(EpochScores(train_loss, loss, accuracy(predictions, validation[1])))
            bar.set_postfix(train=f"{train_loss:.3f}", validation=f"{loss:.3f}")
    return network, history


def main(config: Config) -> Results:
    device = pick_device(config.device)
    train, validation, test_set = load_splits(device)
    both = (torch.cat([train[0], validation[0]]), torch.cat([train[1], validation[1]]))
    networks, histories, epochs, validated = [], [], [], []
    for seed in range(config.seed, config.seed + config.seeds):
        _, history = fit(config, seed, config.epochs, train, validation)
        losses = [epoch.validation_loss for epoch in history]
        epochs.append(losses.index(min(losses)) + 1)
        networks.append(fit(config, seed, epochs[-1], both, None)[0])
        histories.append(history)
        validated.append(history[epochs[-1] - 1].validation_accuracy)
        print(f"seed {seed}: {epochs[-1]} epochs, {validated[-1]:.1%} of the validation set")
    baselines = {name: model.fit(both[0].cpu(), both[1].cpu()) for name, model in classifiers(*BASELINES).items()}

    # Everything is chosen and trained: now, and only now, the test set.
    pixels, labels = test_set.open()
    accuracies = [accuracy(evaluate(network, (pixels, labels))[1], labels) for network in networks]
    mean = statistics.mean(accuracies)
    results = Results(
        sizes={"train": len(train[1]), "validation": len(validation[1]), "test": len(labels)},
        train_losses=[epoch.train_loss for epoch in histories[0]],
        validation_losses=[epoch.validation_loss for epoch in histories[0]],
        epochs=epochs,
        validation_accuracies=validated,
        baselines={name: model.score(pixels.cpu(), labels.cpu()) for name, model in baselines.items()},
        accuracies=accuracies,
        mean=mean,
        deviation=statistics.stdev(accuracies) if config.seeds > 1 else 0.0,
        standard_error=(mean * (1 - mean) / len(labels)) ** 0.5,
    )
    for name, score in results.baselines.items():
        print(f"{name:<22}{score:.1%} of the test set")
    print(f"{'network':<22}{mean:.1%} +- {results.deviation:.1%} over {config.seeds} seeds")
    return results


def plot(results: Results) -> Figure:
    """Draw both losses of the first seed by epoch, and the epoch that was chosen."""
    figure, axes = new_figure()
    epochs = range(1, len(results.train_losses) + 1)
    axes.plot(epochs, results.train_losses, label="training, dropout on")
    axes.plot(epochs, results.validation_losses, label="validation, dropout off")
    axes.axvline(results.epochs[0], color="black", linestyle=":", label="lowest validation loss")
    axes.set(xlabel="epoch", ylabel="cross-entropy in nats", yscale="log")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
