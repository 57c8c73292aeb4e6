"""What are mean squared error and cross-entropy made of, and where does the plain formula of the second one break?

    uv run sprints/03_models_and_training_loops/losses.py

Values and gradients are written out and compared with PyTorch's; then the logits grow until exp overflows. Two mistakes
that raise no error are measured too. Theory: notes/04_losses.md and notes/05_numbers_that_overflow.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 64  # rows
    classes: AtLeastTwo = 10  # classes
    scales: tuple[PositiveFloat, ...] = (1.0, 10.0, 80.0, 100.0, 1000.0, 10000.0)  # sizes of the logits


@dataclass(frozen=True)
class Stability:
    """Cross-entropy in float32 of logits up to a size, and in float64 for truth; text, as it may be nan or inf."""

    naive: list[str]
    naive_gradient: list[str]
    stable: list[str]
    pytorch: list[str]
    truth: list[str]


@dataclass(frozen=True)
class Results:
    differences: dict[str, float]
    scales: list[float]
    stability: Stability
    margins: list[float]
    pull: dict[str, list[float]]
    broadcast_mse_of_perfect_predictions: float
    twice_the_variance: float
    softmax_twice_at_best: float
    softmax_twice_by_formula: float


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return mean((prediction - target)^2).

    Raises:
        ValueError: other shapes for predictions than for targets; PyTorch would broadcast them and warn.
    """
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions and targets must have one shape; got {tuple(predictions.shape)} and {tuple(targets.shape)}: "
            "add or remove the axis of size 1"
        )
    return (predictions - targets).square().mean()


def mean_squared_error_gradient(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return 2 (prediction - target) / n."""
    return 2 * (predictions - targets) / predictions.numel()


def log_sum_exp(logits: Tensor) -> Tensor:
    """Return log sum exp(logit) of each row, as m + log sum exp(logit - m) with the row's largest logit m."""
    largest = logits.max(dim=-1, keepdim=True).values
    # No exponent is above zero, so nothing overflows; one is zero, so the sum is at least 1 and its log is finite.
    return largest[..., 0] + (logits - largest).exp().sum(-1).log()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of log sum exp(logit) - logit[label] over the rows, which is -log softmax(logits)[label]."""
    return (log_sum_exp(logits) - logits.gather(-1, labels[:, None])[:, 0]).mean()


def cross_entropy_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Return (softmax(logits) - one_hot(label)) / rows."""
    probabilities = (logits - log_sum_exp(logits)[:, None]).exp()
    return (probabilities - functional.one_hot(labels, logits.shape[-1])) / len(logits)


def naive_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of -log(exp(logit[label]) / sum exp(logit)): right on paper."""
    exponentials = logits.exp()
    probabilities = exponentials / exponentials.sum(-1, keepdim=True)
    return -probabilities.gather(-1, labels[:, None]).log().mean()


def value_and_gradient(loss, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return a loss and its gradient by autograd."""
    inputs = inputs.clone().requires_grad_()
    value = loss(inputs, targets)
    return value.detach(), torch.autograd.grad(value, inputs)[0]


def compare(inputs: Tensor, targets: Tensor, ours, gradient, theirs) -> dict[str, float]:
    """Return how far value, autograd's gradient and the gradient by formula are from PyTorch's."""
    (value, by_autograd), (their_value, their_gradient) = (
        value_and_gradient(loss, inputs, targets) for loss in (ours, theirs)
    )
    by_formula = gradient(inputs, targets)
    return {
        "value": (value - their_value).abs().item(),
        "gradient by autograd": (by_autograd - their_gradient).abs().max().item(),
        "gradient by formula": (by_formula - their_gradient).abs().max().item(),
    }


def grow(logits: Tensor, labels: Tensor, scales: tuple[float, ...]) -> Stability:
    """Return what each way of computing cross-entropy says of logits whose largest is `scale`."""
    columns = {"naive": [], "naive_gradient": [], "stable": [], "pytorch": [], "truth": []}
    for scale in scales:
        exact = logits / logits.abs().max() * scale
        naive, gradient = value_and_gradient(naive_cross_entropy, exact.float(), labels)
        values = {
            "naive": naive,
            "naive_gradient": gradient.norm(),
            "stable": cross_entropy(exact.float(), labels),
            "pytorch": functional.cross_entropy(exact.float(), labels),
            "truth": cross_entropy(exact, labels),
        }
        for name, value in values.items():
            columns[name].append(f"{value.item():.6g}")
    return Stability(**columns)


def pull_of_losses(margins: Tensor) -> dict[str, list[float]]:
    """Return the gradient's size at the right class's logit, by its lead over the other of two classes."""
    logits = torch.stack([margins, torch.zeros_like(margins)], dim=-1).requires_grad_()
    right = torch.tensor([1.0, 0.0], dtype=margins.dtype)
    losses = {
        "cross-entropy": log_sum_exp(logits) - logits[:, 0],
        "squared error of the probabilities": (logits.softmax(-1) - right).square().sum(-1),
    }
    return {name: (-torch.autograd.grad(loss.sum(), logits)[0][:, 0]).tolist() for name, loss in losses.items()}


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    logits = torch.randn(config.batch, config.classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(config.classes, (config.batch,), generator=generator)
    targets = torch.randn(config.batch, config.classes, generator=generator, dtype=torch.float64)
    losses = {
        "mean squared error": (targets, mean_squared_error, mean_squared_error_gradient, functional.mse_loss),
        "cross-entropy": (labels, cross_entropy, cross_entropy_gradient, functional.cross_entropy),
    }
    differences = {
        f"{name}, {what}": difference
        for name, (target, *functions) in losses.items()
        for what, difference in compare(logits, target, *functions).items()
    }
    margins = torch.linspace(-10, 10, 81, dtype=torch.float64)
    column = targets[:, :1]  # (batch, 1), as a model returns it; the targets of a data set are (batch,)
    certain = 1e4 * functional.one_hot(labels, config.classes).double()
    results = Results(
        differences=differences,
        scales=list(config.scales),
        stability=grow(logits, labels, config.scales),
        margins=margins.tolist(),
        pull=pull_of_losses(margins),
        broadcast_mse_of_perfect_predictions=(column - column[:, 0]).square().mean().item(),
        twice_the_variance=2 * column.var(correction=0).item(),
        softmax_twice_at_best=cross_entropy(certain.softmax(-1), labels).item(),
        softmax_twice_by_formula=math.log(math.e + config.classes - 1) - 1,
    )
    for name, difference in differences.items():
        print(f"{name:<42} differs from PyTorch's by {difference:.1e}")
    print(f"{'largest logit':>14}{'naive':>12}{'stable':>12}{'float64':>12}")
    table = results.stability
    for scale, *row in zip(config.scales, table.naive, table.stable, table.truth, strict=True):
        print(f"{scale:>14g}" + "".join(f"{value:>12}" for value in row))
    print(f"softmax twice: a perfect classifier's loss is {results.softmax_twice_at_best:.3f} instead of 0")
    print(f"(n, 1) against (n,): a perfect fit's error is {results.broadcast_mse_of_perfect_predictions:.3f}, not 0")
    return results


def plot(results: Results) -> Figure:
    """Draw how hard each loss pulls at the right class's logit."""
    figure, axes = new_figure()
    for name, sizes in results.pull.items():
        axes.plot(results.margins, sizes, label=name)
    axes.set(xlabel="lead of the right class's logit", ylabel="size of the gradient there")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
