"""What does a whole training run look like, from the split of the data to the one look at the test set?

    uv run sprints/03_models_and_training_loops/train_digits.py

Digits, first half to train and second half to test. The end of the first half validates: it says how many epochs to
train. Then the network is trained anew on the whole first half, as the baselines are, and all are tested once.
Theory: notes/05_the_training_loop.md and notes/06_splits_and_metrics.md
"""

import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

Part = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: int = 256  # hidden units
    dropout: float = 0.5  # probability of dropping a hidden unit
    epochs: int = 60  # most passes over the training data
    batch_size: int = 32  # images of a batch
    learning_rate: float = 1e-3  # of AdamW
    weight_decay: float = 0.01  # of AdamW
    seeds: int = 5  # networks to train, with seeds from --seed on


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
class Epoch:
    train_loss: float
    validation_loss: float
    validation_accuracy: float


class TestSet:
    """Data that can be looked at once; whoever looks twice is choosing on it."""

    def __init__(self, part: Part) -> None:
        self._part: Part | None = part

    def open(self) -> Part:
        """Return the data.

        Raises:
            ValueError: it has been opened before.
        """
        if self._part is None:
            raise ValueError("the test set may be opened once, this is the second time: choose on the validation set")
        part, self._part = self._part, None
        return part


def load_splits(device: torch.device) -> tuple[Part, Part, TestSet]:
    """Return the first two fifths of digits to train, the next tenth to validate, and the second half, sealed.

    They are not shuffled: neighbours in the file look alike, and `honest_split.py` measures what that is worth.
    """
    pixels, labels = (torch.from_numpy(array).to(device) for array in load_digits(return_X_y=True))
    pixels, half = pixels.float() / 16, len(labels) // 2
    ends = (0, half * 4 // 5, half, len(labels))
    train, validation, test = ((pixels[a:b], labels[a:b]) for a, b in pairwise(ends))
    return train, validation, TestSet(test)


def make_network(config: Config) -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, config.hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(config.hidden, 10)
    )


def train_epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, part: Part, batch_size: int, generator: torch.Generator
) -> float:
    """Pass over the data once in random order; return the mean loss."""
    pixels, labels = part
    network.train()
    total = 0.0
    for batch in torch.randperm(len(labels), generator=generator).to(labels.device).split(batch_size):
        loss = functional.cross_entropy(network(pixels[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(labels)


@torch.no_grad()
def evaluate(network: nn.Module, part: Part) -> tuple[float, Tensor]:
    """Return the mean loss in evaluation mode, and the predicted classes."""
    network.eval()
    logits = network(part[0])
    return functional.cross_entropy(logits, part[1]).item(), logits.argmax(-1)


def accuracy(predictions: Tensor, labels: Tensor) -> float:
    return (predictions == labels).double().mean().item()


def fit(config: Config, seed: int, epochs: int, train: Part, validation: Part | None) -> tuple[nn.Module, list[Epoch]]:
    """Train a network; return it and, if there is data to validate on, its history."""
    generator, history = seed_everything(seed), []
    network = make_network(config).to(train[0].device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    bar = tqdm(range(epochs), desc=f"seed {seed}, {len(train[1])} images", leave=False)
    for _ in bar:
        train_loss = train_epoch(network, optimizer, train, config.batch_size, generator)
        if validation is not None:
            loss, predictions = evaluate(network, validation)
            history.append(Epoch(train_loss, loss, accuracy(predictions, validation[1])))
            bar.set_postfix(train=f"{train_loss:.3f}", validation=f"{loss:.3f}")
    return network, history


def fit_baselines(train: Part) -> dict[str, Any]:
    """Return the most frequent class, a linear model and a strong one, fitted."""
    models = {
        "most frequent class": DummyClassifier(),
        "logistic regression": LogisticRegression(max_iter=1000),
        # As in scikit-learn's own example, which has pixels from 0 to 16: the distances are squared.
        "support vectors": SVC(gamma=0.001 * 16**2),
    }
    return {name: model.fit(train[0].cpu().numpy(), train[1].cpu().numpy()) for name, model in models.items()}


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
    baselines = fit_baselines(both)

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
    for name, found in results.baselines.items():
        print(f"{name:<22}{found:.1%} of the test set")
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
    run(main, Config, plot=plot)
