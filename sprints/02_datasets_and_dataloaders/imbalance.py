"""What does a sampler do for a rare class? It changes the prior, and so does moving the threshold.

    uv run sprints/02_datasets_and_dataloaders/imbalance.py

"Is it an eight?", with eights made rare in training. Logistic regression is trained on plain batches, on balanced ones,
and with a weighted loss. Theory: notes/09_a_rare_class.md
"""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Sampler, TensorDataset
from tqdm import tqdm

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import halves, load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Split = tuple[Tensor, Tensor]
# A test image near the border may fall to the other side: one of 88 eights, one of 811 others.
TOLERANCE = {
    "recall.*": Tolerance(absolute=0.012),
    "false_positive_rate.*": Tolerance(absolute=0.0013),
    "balanced_accuracy.*": Tolerance(absolute=0.007),
    "auc.*": Tolerance(absolute=0.0005),
}
Eights = Annotated[int, Field(ge=1, le=86)]  # of the training half


@dataclass(frozen=True)
class Config(ScriptConfig):
    rare: Eights = 16  # eights among the training images
    epochs: PositiveInt = 60  # passes over the training images
    batch_size: PositiveInt = 64  # images of a batch
    seeds: PositiveInt = 5  # seeds: which eights are kept, and the order


@dataclass(frozen=True)
class Results:
    prior: float
    rare_in_batches: dict[str, float]
    recall: dict[str, list[float]]
    false_positive_rate: dict[str, list[float]]
    balanced_accuracy: dict[str, list[float]]
    auc: dict[str, list[float]]
    mean_probability: dict[str, list[float]]


class WeightedSampler(Sampler[int]):
    """Indices drawn with replacement, each with a probability proportional to its weight.

    Weights side by side make a line as long as their sum; a uniform point on it falls into one of them.

    Raises:
        ValueError: a negative weight, or all are 0.
    """

    def __init__(self, weights: Tensor, draws: int, generator: torch.Generator) -> None:
        if (weights < 0).any() or weights.sum() == 0:
            raise ValueError(
                f"weights must be at least 0 and not all 0; the least is {weights.min()}, the sum {weights.sum()}"
            )
        self.ends, self.draws, self.generator = weights.double().cumsum(0), draws, generator

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[int]:
        points = torch.rand(self.draws, dtype=torch.float64, generator=self.generator) * self.ends[-1]
        # right=True: a point on a border belongs to the weight that begins there, and a weight of 0 gets none.
        yield from torch.searchsorted(self.ends, points, right=True).tolist()


def balancing_weights(labels: Tensor) -> Tensor:
    """Return for each item 1 / (size of its class): every class has the same chance to be drawn."""
    return 1 / torch.bincount(labels).double()[labels]


def splits(rare: int, generator: torch.Generator) -> tuple[Split, Split]:
    """Return the training half of the digits with few eights, and the test half: pixels (items, 64), 1 for an eight."""
    (images, digits), (test_images, test_digits) = halves(load_flat_digits())
    labels, answers = (digits == 8).long(), (test_digits == 8).long()
    eights, others = (labels == 1).nonzero()[:, 0], (labels == 0).nonzero()[:, 0]
    kept = torch.cat([others, eights[torch.randperm(len(eights), generator=generator)[:rare]]])
    return (images[kept], labels[kept]), (test_images, answers)


def train(loader: DataLoader, epochs: int, class_weights: Tensor) -> tuple[nn.Linear, float]:
    """Return logistic regression trained on the batches, and the share of eights among all that it saw."""
    model, seen, rare = nn.Linear(64, 1), 0, 0
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03, weight_decay=2e-4)
    for _ in range(epochs):
        for images, labels in loader:
            seen, rare = seen + len(labels), rare + int(labels.sum())
            losses = functional.binary_cross_entropy_with_logits(model(images)[:, 0], labels.float(), reduction="none")
            loss = (losses * class_weights[labels]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model, rare / seen


@torch.no_grad()
def measure(logits: Tensor, answers: Tensor, prior: float) -> dict[str, float]:
    """Return how the logits do on test images, weighted as if eights were as rare there as in training."""
    positive, negative = logits[answers == 1], logits[answers == 0]
    recall, false_positive_rate = (positive > 0).double().mean().item(), (negative > 0).double().mean().item()
    return {
        "recall": recall,
        "false_positive_rate": false_positive_rate,
        "balanced_accuracy": (recall + 1 - false_positive_rate) / 2,
        # The share of the pairs of an eight and another in which the eight has the higher score (ROC AUC).
        "auc": float(roc_auc_score(answers, logits)),
        "mean_probability": prior * positive.sigmoid().mean().item() + (1 - prior) * negative.sigmoid().mean().item(),
    }


def main(config: Config) -> Results:
    metrics: dict[str, dict[str, list[float]]] = {}
    rare_in_batches: dict[str, list[float]] = {}
    for seed in tqdm(range(config.seed, config.seed + config.seeds), unit="seed"):
        generator = seed_everything(seed)
        (images, labels), (test, answers) = splits(config.rare, generator)
        data, size = TensorDataset(images, labels), config.batch_size
        sampler = WeightedSampler(balancing_weights(labels), len(labels), generator)
        plain = DataLoader(data, size, shuffle=True, generator=generator)
        equal_weights = torch.ones(2)
        balanced = len(labels) / (2 * torch.bincount(labels))
        models = {
            "plain": train(plain, config.epochs, equal_weights),
            "balanced sampler": train(DataLoader(data, size, sampler=sampler), config.epochs, equal_weights),
            "weighted loss": train(plain, config.epochs, balanced),
        }
        logits = {name: model(test)[:, 0] for name, (model, _) in models.items()}
        # Bayes: with another prior, all log-odds move by the difference of the priors' log-odds. Balanced ones are 0.
        prior = labels.double().mean().item()
        log_odds = math.log(prior / (1 - prior))
        logits["plain, threshold at the prior"] = logits["plain"] - log_odds
        logits["balanced sampler, corrected"] = logits["balanced sampler"] + log_odds
        for name, values in logits.items():
            row = measure(values, answers, prior)
            for metric, value in row.items():
                metrics.setdefault(metric, {}).setdefault(name, []).append(value)
            if name in models:
                rare_in_batches.setdefault(name, []).append(models[name][1])
    results = Results(
        prior=prior,
        rare_in_batches={name: statistics.mean(values) for name, values in rare_in_batches.items()},
        **metrics,
    )
    print(f"{prior:.1%} of the training images are eights; always saying no has an accuracy of {1 - prior:.1%}")
    for name in results.recall:
        print(f"{name:<30}" + ", ".join(f"{m} {statistics.mean(getattr(results, m)[name]):.1%}" for m in metrics))
    return results


def plot(results: Results) -> Figure:
    """Draw recall and false positive rate of every seed."""
    figure, axes = new_figure(width=8)
    markers = dict(zip(results.recall, "osDvP", strict=True))
    for name, marker in markers.items():
        axes.plot(results.false_positive_rate[name], results.recall[name], marker, label=name, alpha=0.8)
    axes.set(xlabel="false positive rate: share of the others called eight", ylabel="recall: share of the eights found")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
