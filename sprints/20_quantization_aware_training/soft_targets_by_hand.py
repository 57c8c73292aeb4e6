"""What does a model's opinion teach that the next word does not? Three words, every number of it.

    uv run sprints/20_quantization_aware_training/soft_targets_by_hand.py
    uv run sprints/20_quantization_aware_training/soft_targets_by_hand.py --student 0.2 0.2 0.6

After *2 tbsp* the float model gives *oil* 0.5, *butter* 0.3 and *honey* 0.2; a model of few bits gives 0.6, 0.2, 0.2. A
gradient of a logit is what the student gives less what it should give. Theory:
notes/08_learning_from_the_float_model.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from aware.distillation import soft_target_losses
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import OpenFraction
from shared.lab.run import run

WORDS = ("oil", "butter", "honey")
Three = tuple[OpenFraction, OpenFraction, OpenFraction]


@dataclass(frozen=True)
class Config(ScriptConfig):
    teacher: Three = (0.5, 0.3, 0.2)  # probabilities of the float model
    student: Three = (0.6, 0.2, 0.2)  # probabilities of the model of few bits

    def check(self) -> None:
        for name in ("teacher", "student"):
            if abs(sum(getattr(self, name)) - 1) > 1e-6:
                raise ValueError(f"--{name} must add up to 1; got {getattr(self, name)}")


@dataclass(frozen=True)
class Results:
    teacher: list[float]
    student: list[float]
    divergence: float
    other_way_round: float
    soft: list[float]
    of_labels: list[list[float]]  # the gradient if the text says oil, butter, honey
    mean_of_labels: list[float]
    spread: float  # of the gradient of one text around the mean: the root of the mean square
    warm_teacher: list[float]  # at temperature 2
    warm_gradient: list[float]  # of the divergence at temperature 2, before it is multiplied by 4


def divergence(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    return sum(p * math.log(p / q) for p, q in zip(first, second, strict=True))


def main(config: Config) -> Results:
    teacher, student = config.teacher, config.student
    soft = [q - p for q, p in zip(student, teacher, strict=True)]
    of_labels = [[q - (word == label) for word, q in enumerate(student)] for label in range(3)]
    mean = [sum(p * row[word] for p, row in zip(teacher, of_labels, strict=True)) for word in range(3)]
    square = sum(
        p * sum((own - other) ** 2 for own, other in zip(row, mean, strict=True))
        for p, row in zip(teacher, of_labels, strict=True)
    )
    logits = torch.tensor(student).log().requires_grad_()
    (warm,) = torch.autograd.grad(soft_target_losses(logits, torch.tensor(teacher).log(), 2.0) / 4, logits)
    results = Results(
        list(teacher), list(student), divergence(teacher, student), divergence(student, teacher), soft, of_labels, mean,
        math.sqrt(square), torch.tensor(teacher).sqrt().div(torch.tensor(teacher).sqrt().sum()).tolist(), warm.tolist(),
    )  # fmt: skip
    print(f"divergence {results.divergence:.4f}, the other way round {results.other_way_round:.4f}")
    print(f"gradient of soft targets: {', '.join(f'{part:+.2f}' for part in soft)}")
    for word, row in zip(WORDS, of_labels, strict=True):
        print(f"gradient if the text says {word}: {', '.join(f'{part:+.2f}' for part in row)}")
    print(f"their mean: {', '.join(f'{part:+.2f}' for part in mean)}, and one is {results.spread:.2f} from it")
    return results


def plot(results: Results) -> Figure:
    """Draw the gradient of soft targets beside those of the three texts that may come."""
    figure, panels = new_figure(9.6, 2.8, columns=4)
    names = ["float model", *(f"the text says {word}" for word in WORDS)]
    rows, colours = [results.soft, *results.of_labels], ("C0", "C3", "C3", "C3")
    for axes, name, row, colour in zip(panels, names, rows, colours, strict=True):
        bars = axes.bar(WORDS, row, color=colour)
        axes.bar_label(bars, fmt="%+.1f", padding=2)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(title=name, ylim=(-1.1, 1.0))
    panels[0].set_ylabel("gradient of the logit")
    for axes, share in zip(panels[1:], results.teacher, strict=True):
        axes.set_xlabel(f"in {share:.0%} of texts")
    panels[0].set_xlabel("always")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
