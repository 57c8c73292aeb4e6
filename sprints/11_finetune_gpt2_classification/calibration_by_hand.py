"""Can a classifier's confidence be trusted? Its calibration error for a handful of predictions, by hand.

    uv run sprints/11_finetune_gpt2_classification/calibration_by_hand.py

Eight predictions in three bins of confidence. Theory: notes/07_calibration.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from text_classification.classification_scores import calibration

CONFIDENCES = (0.98, 0.96, 0.94, 0.92, 0.75, 0.75, 0.55, 0.55)
RIGHT = (True, True, True, False, True, False, True, False)


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    confidence: list[float]
    accuracy: list[float]
    count: list[float]
    error: float
    mean_confidence: float
    mean_accuracy: float


def main(_config: Config) -> Results:
    confidences = torch.tensor(CONFIDENCES, dtype=torch.float64)
    probabilities = torch.stack((confidences, 1 - confidences), dim=1)  # class 0 is always predicted
    labels = torch.tensor([0 if right else 1 for right in RIGHT])
    error, bins = calibration(probabilities, labels)
    for confidence, accuracy, count in zip(*bins.values(), strict=True):
        print(f"{count:g} predictions: confidence {confidence:.2f}, accuracy {accuracy:.2f}")
    print(f"expected calibration error {error:.4f}")
    return Results(
        **bins, error=error, mean_confidence=confidences.mean().item(), mean_accuracy=sum(RIGHT) / len(RIGHT)
    )


def plot(results: Results) -> Figure:
    """Draw the reliability diagram, with the gaps whose weighted mean is the error."""
    figure, axes = new_figure(5.6, 4.2)
    axes.plot([0.5, 1], [0.5, 1], color="grey", linestyle="--")
    axes.text(0.62, 0.64, "calibrated", rotation=38, color="grey")
    axes.vlines(results.confidence, results.accuracy, results.confidence, color="#b22222", linewidth=2)
    axes.plot(results.confidence, results.accuracy, "o", markersize=8)
    for confidence, accuracy, count in zip(results.confidence, results.accuracy, results.count, strict=True):
        axes.annotate(
            f"{count:g} predictions\ngap {confidence - accuracy:.2f}", (confidence, accuracy),
            xytext=(0, -12), textcoords="offset points", ha="center", va="top",
        )  # fmt: skip
    axes.set(xlabel="mean confidence of a bin", ylabel="accuracy of a bin", xlim=(0.5, 1.05), ylim=(0.35, 1.02))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
