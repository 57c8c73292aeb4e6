"""How good is one without a network, and which validation set says so?

    uv run sprints/04_advanced_training_cnn/baselines.py

Four classifiers of scikit-learn learn the first half of the digits and are tested on the second. Before that, the first
half has to say how good they will be: with blocks of neighbours held out, or with images held out at random.
Theory: notes/07_early_stopping.md
"""

import statistics
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import Folds, PositiveInt
from shared.lab.run import run

Classifier = DummyClassifier | LogisticRegression | KNeighborsClassifier | SVC
CLASSIFIERS: dict[str, Classifier] = {
    "most frequent digit": DummyClassifier(),
    "logistic regression": LogisticRegression(max_iter=1000),
    "nearest neighbour": KNeighborsClassifier(1),
    # gamma = 0.001 for pixels from 0 to 16, as in scikit-learn's own example
    "SVC": SVC(gamma=0.001 * 16**2),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    folds: Folds = 5  # blocks of the first half; each validates once
    shuffles: PositiveInt = 10  # random partitions to average over


@dataclass(frozen=True)
class Accuracies:
    """Validation accuracy by held-out blocks and by shuffled images, and test accuracy."""

    blocks: float
    by_block: list[float]
    shuffled: float
    test: float


@dataclass(frozen=True)
class Results:
    train_images: int
    test_images: int
    accuracies: dict[str, Accuracies]


def judge(classifier: Classifier, images: np.ndarray, labels: np.ndarray, config: Config) -> Accuracies:
    """Validate a classifier on the first half in two ways, then fit it there and test it on the second."""
    half = len(labels) // 2
    known = (images[:half], labels[:half])
    by_block = cross_val_score(classifier, *known, cv=KFold(config.folds)).tolist()
    seeds = range(config.seed, config.seed + config.shuffles)
    partitions = [KFold(config.folds, shuffle=True, random_state=seed) for seed in seeds]
    shuffled = statistics.mean(float(cross_val_score(classifier, *known, cv=cv).mean()) for cv in partitions)
    test = accuracy_score(labels[half:], classifier.fit(*known).predict(images[half:]))
    return Accuracies(statistics.mean(by_block), by_block, shuffled, float(test))


def main(config: Config) -> Results:
    pixels, digits = load_flat_digits()
    images, labels = pixels.double().numpy(), digits.numpy()
    accuracies = {}
    for name, classifier in CLASSIFIERS.items():
        accuracies[name] = scores = judge(classifier, images, labels, config)
        print(f"{name:<20} blocks {scores.blocks:.1%}, shuffled {scores.shuffled:.1%}, test {scores.test:.1%}")
    return Results(len(labels) // 2, len(labels) - len(labels) // 2, accuracies)


def plot(results: Results) -> Figure:
    """Draw what both validations promise beside what the test gives."""
    figure, axes = new_figure()
    names = [name for name in results.accuracies if name != "most frequent digit"]
    for offset, kind, marker in ((-0.2, "blocks", "s"), (0.0, "shuffled", "o"), (0.2, "test", "D")):
        values = [vars(results.accuracies[name])[kind] for name in names]
        columns = [column + offset for column in range(len(names))]
        axes.plot(columns, values, marker, label="test" if kind == "test" else f"validation, {kind}")
        for column, value in zip(columns, values, strict=True):
            axes.annotate(f"{value:.1%}", (column, value), (8, 0), textcoords="offset points", va="center", fontsize=8)
    for column, name in enumerate(names):
        by_block = results.accuracies[name].by_block
        label = "each block" if column == 0 else None
        axes.plot([column - 0.2] * len(by_block), by_block, "_", color="grey", zorder=1, label=label)
    axes.set(ylabel="accuracy", xlim=(-0.5, len(names) - 0.4))
    axes.set_xticks(range(len(names)), names)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


if __name__ == "__main__":
    # A fold has 180 images, and whatever is fitted by iterations may read one of them differently on another machine.
    run(main, Config, plot=plot, tolerance={"accuracies.logistic regression.*": Tolerance(absolute=0.006)})
