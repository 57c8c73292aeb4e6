"""What does accuracy hide? Confusion matrix, precision, recall and F1 written out and equal to scikit-learn's.

    uv run sprints/03_models_and_training_loops/metrics.py

Logistic regression predicts the first half of digits in five folds, so the test set stays closed. Then the question
becomes "is it an 8?", where a classifier that always says no is right nine times in ten.
Theory: notes/09_metrics.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from sklearn.metrics import confusion_matrix as library_confusion_matrix
from sklearn.model_selection import KFold, cross_val_predict
from torch import Tensor

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import Folds
from shared.lab.run import run

# An image near a border may fall to the other side.
TOLERANCE = {
    "confusion.*": Tolerance(absolute=1.0),
    **{pattern: Tolerance(absolute=0.012) for pattern in ("recalls.*", "ten_classes.*", "find.*")},
}
Images = Annotated[int, Field(ge=100, le=1797)]  # so that every fold knows every digit; as many as there are


@dataclass(frozen=True)
class Config(ScriptConfig):
    folds: Folds = 5  # parts; each is predicted by a model fitted to the others
    rare: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] = 8  # the digit to find among the others
    images: Images = 898  # images from the beginning of the file


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1 are means over the classes, or those of the class to find."""

    accuracy: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Results:
    confusion: list[list[int]]
    recalls: list[float]
    most_confused: list[int]
    ten_classes: Scores
    find: dict[str, Scores]
    differs_from_scikit_learn: float


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    """Return how often each class (row) was taken for each class (column).

    Raises:
        ValueError: labels and predictions of different length.
    """
    if labels.shape != predictions.shape:
        raise ValueError(
            f"each label needs one prediction; got {len(labels)} labels and {len(predictions)} predictions: "
            "predict the same images"
        )
    # Each pair (label, prediction) is one number below classes^2; count the numbers.
    return torch.bincount(labels * classes + predictions, minlength=classes**2).view(classes, classes)


def class_scores(confusion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return precision, recall and F1 of each class; 0 for 0 / 0, as scikit-learn has it."""
    correct, predicted, actual = confusion.diag().double(), confusion.sum(0), confusion.sum(1)
    precision = correct / predicted.clamp(min=1)  # of those called c, how many are c?
    recall = correct / actual.clamp(min=1)  # of those that are c, how many were called c?
    f1 = 2 * correct / (predicted + actual).clamp(min=1)  # the harmonic mean of the two
    return precision, recall, f1


def summarize(confusion: Tensor, find: int | None = None) -> Scores:
    """Return accuracy beside the means over the classes, or beside the scores of the class to find."""
    scores = class_scores(confusion)
    chosen = (values.mean() if find is None else values[find] for values in scores)
    accuracy = confusion.diag().sum().double() / confusion.sum()
    return Scores(accuracy.item(), *(value.item() for value in chosen))


def difference_from_scikit_learn(labels: Tensor, predictions: Tensor, find: int | None = None) -> float:
    """Return the largest difference between our matrix and scores and the library's."""
    classes = int(max(labels.max(), predictions.max())) + 1
    confusion = confusion_matrix(labels, predictions, classes)
    average = {"average": "macro", "zero_division": 0} if find is None else {"pos_label": find, "zero_division": 0}
    theirs = Scores(
        float(accuracy_score(labels, predictions)),
        *(float(f(labels, predictions, **average)) for f in (precision_score, recall_score, f1_score)),
    )
    counts = np.abs(library_confusion_matrix(labels, predictions) - confusion.numpy()).max()
    ours = summarize(confusion, find)
    return max(float(counts), *(abs(vars(ours)[name] - vars(theirs)[name]) for name in vars(ours)))


def main(config: Config) -> Results:
    pixels, digits = (part[: config.images].numpy() for part in load_flat_digits())
    pixels = pixels.astype(np.float64)
    model, folds = LogisticRegression(max_iter=1000), KFold(config.folds)
    labels, predictions = torch.from_numpy(digits), torch.from_numpy(cross_val_predict(model, pixels, digits, cv=folds))
    is_rare = (labels == config.rare).long()
    finders = {
        "always no": torch.zeros_like(is_rare),
        "logistic regression": torch.from_numpy(cross_val_predict(model, pixels, is_rare.numpy(), cv=folds)),
    }
    confusion = confusion_matrix(labels, predictions, 10)
    errors = confusion - confusion.diag().diag()
    differences = [
        difference_from_scikit_learn(labels, predictions),
        *(difference_from_scikit_learn(is_rare, answers, find=1) for answers in finders.values()),
    ]
    results = Results(
        confusion=confusion.tolist(),
        recalls=class_scores(confusion)[1].tolist(),
        most_confused=[int(index) for index in divmod(int(errors.argmax()), 10)],
        ten_classes=summarize(confusion),
        find={name: summarize(confusion_matrix(is_rare, answers, 2), find=1) for name, answers in finders.items()},
        differs_from_scikit_learn=max(differences),
    )
    for name, scores in {"ten classes": results.ten_classes, **results.find}.items():
        print(f"{name:<22}" + "  ".join(f"{key} {value:.3f}" for key, value in vars(scores).items()))
    print(f"scikit-learn's differ by {results.differs_from_scikit_learn:.1e}")
    return results


def plot(results: Results) -> Figure:
    """Draw the confusion matrix: errors in colour, right answers as numbers only."""
    figure, axes = new_figure(width=5.6, height=5)
    confusion = np.array(results.confusion)
    errors = confusion - np.diag(np.diag(confusion))
    image = axes.imshow(errors, cmap="Blues")
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            dark = errors[row, column] > errors.max() / 2
            axes.text(column, row, count, ha="center", va="center", color="white" if dark else "black", fontsize=9)
    axes.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
    axes.grid(False)
    figure.colorbar(image, label="errors", shrink=0.8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
