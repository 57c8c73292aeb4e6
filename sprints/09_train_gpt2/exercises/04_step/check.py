"""Checks of `training_step`: the weights after it, beside those of one large batch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.checking import expect

Batch = tuple[Tensor, Tensor]


class Line(nn.Module):
    """Predicts a number by a weight for each feature, and a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -1.0]))
        self.bias = nn.Parameter(torch.tensor(0.5))


def squared_errors(model: Line, batch: Batch) -> tuple[Tensor, int]:
    features, wanted = batch
    return functional.mse_loss(features @ model.weight + model.bias, wanted, reduction="sum"), len(wanted)


def optimizer_of(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def weights_after(step: Callable[..., Any], batches: Sequence[Batch], clip: float, stale: float) -> Tensor:
    """Return weight, bias and the returned loss after a step; the gradients begin as `stale`."""
    model = Line()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, stale)
    loss = step(model, batches, squared_errors, optimizer_of(model), clip)
    reported = torch.nan if not isinstance(loss, float | Tensor) else float(loss)
    return torch.cat([model.weight.detach(), model.bias.detach()[None], torch.tensor([reported])])


def make_step(
    zero: str = "before", weigh: str = "terms", clip_when: str = "after", clip_how: str = "norm"
) -> Callable[..., float]:
    """Return a step that is right, or wrong in one way."""

    def step(model: nn.Module, batches: Sequence[Batch], loss_function: Any, optimizer: Any, clip: float) -> float:
        def shorten() -> None:
            if clip_how == "norm":
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            elif clip_how == "value":
                nn.utils.clip_grad_value_(model.parameters(), clip)
            elif clip_how == "each":
                for parameter in model.parameters():
                    nn.utils.clip_grad_norm_(parameter, clip)

        if zero == "before":
            optimizer.zero_grad()
        total, terms = 0.0, 0
        for batch in batches:
            if zero == "inside":
                optimizer.zero_grad()
            loss, count = loss_function(model, batch)
            (loss / count / len(batches) if weigh == "means" else loss).backward()
            if clip_when == "inside":
                shorten()
            total, terms = total + loss.item(), terms + count
        if clip_when == "before dividing":
            shorten()
        for parameter in model.parameters():
            if weigh in ("terms", "batches") and parameter.grad is not None:
                parameter.grad /= terms if weigh == "terms" else len(batches)
        if clip_when == "after":
            shorten()
        optimizer.step()
        return total / terms

    return step


def step_for_each(model: nn.Module, batches: Sequence[Batch], loss_function: Any, optimizer: Any, clip: float) -> float:
    total, terms = 0.0, 0
    for batch in batches:
        total += make_step()(model, [batch], loss_function, optimizer, clip) * len(batch[1])
        terms += len(batch[1])
    return total / terms


MISTAKES = {
    "The old gradients are still there: call zero_grad before the first backward.": make_step(zero="never"),
    "zero_grad stands inside the loop: only the last batch is left.": make_step(zero="inside"),
    "A short batch weighs as much as a long one: it is a mean of means. Divide the sums by the number of all terms.": (
        make_step(weigh="means")
    ),
    "The gradient is a sum over the terms: divide it by their number.": make_step(weigh="never"),
    "The gradient is divided by the number of batches; it must be that of the terms.": make_step(weigh="batches"),
    "The gradient is not clipped.": make_step(clip_how="never"),
    "The gradient is clipped before it is divided: the norm must be that of the mean.": (
        make_step(clip_when="before dividing")
    ),
    "Each batch is clipped for itself: add all of them up first.": make_step(clip_when="inside"),
    "Every number of the gradient is clipped for itself, which turns its direction. Scale all of it by its norm.": (
        make_step(clip_how="value")
    ),
    "Every parameter is clipped by a norm of its own; the norm must be that of all of them together.": (
        make_step(clip_how="each")
    ),
    "The optimizer steps after each batch; there must be one step for all of them.": step_for_each,
}


def compare(learner: Any, batches: Sequence[Batch], clip: float, stale: float = 0.0) -> None:
    def weight_0_weight_1_bias_loss(batches: Sequence[Batch], clip: float, old_gradient: float) -> Tensor:
        return weights_after(learner.training_step, batches, clip, old_gradient)

    features, wanted = zip(*batches, strict=True)
    expected = weights_after(make_step(), [(torch.cat(features), torch.cat(wanted))], clip, 0.0)
    mistaken = {sentence: weights_after(step, batches, clip, stale) for sentence, step in MISTAKES.items()}
    mistaken["The loss that is returned is wrong: it is the mean over all terms, as a number."] = torch.cat(
        [expected[:3], torch.tensor([torch.nan])]
    )
    given = {"batches": batches, "clip": clip, "old_gradient": stale}
    expect(weight_0_weight_1_bias_loss, given, expected, mistaken)


LONG = (torch.tensor([[1.0, 0], [0, 1], [1, 1]]), torch.tensor([2.0, 0, 1]))
SHORT = (torch.tensor([[2.0, 1]]), torch.tensor([-1.0]))


def check_one_batch(learner: Any) -> None:
    """One batch, a gradient shorter than the limit."""
    compare(learner, [LONG], clip=100.0)


def check_old_gradients(learner: Any) -> None:
    """The gradients of an earlier step are still there."""
    compare(learner, [LONG], clip=100.0, stale=3.0)


def check_accumulation(learner: Any) -> None:
    """A batch of three terms and one of a single term."""
    compare(learner, [LONG, SHORT], clip=100.0, stale=1.0)


def check_clipping(learner: Any) -> None:
    """The gradient of both is longer than the limit."""
    compare(learner, [LONG, SHORT], clip=0.25, stale=1.0)
