"""The training loop, `train_steps`, which knows nothing about the model it trains."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from shared.lab.runtime import autocast
from shared.training.schedules import constant

LossFunction = Callable[[Any, Any], tuple[Tensor, int]]


class NonFiniteTraining(ArithmeticError):
    """Loss or gradient of a step is infinite or not a number; the weights are still those of the step before."""

    def __init__(self, step: int, what: str, value: float) -> None:
        self.step, self.what, self.value = step, what, value
        super().__init__(
            f"the {what} of step {step} is {value}; the weights were left as they were. "
            "A lower learning rate, a longer warm-up or float32 may help"
        )


def train_steps(
    model: nn.Module,
    batches: Iterator[Any],
    *,
    loss_function: LossFunction,
    optimizers: Sequence[Optimizer],
    steps: int,
    schedule: Callable[[int], float] = constant,
    clip: float | None = 1.0,
    accumulate: int = 1,
    precision: str = "float32",
    start: int = 0,
) -> Iterator[tuple[int, float]]:
    """Train, and yield after each step the number of steps done and the loss on its batches before the update.

    What happens between steps (logging, evaluation, checkpoints) is up to the loop that consumes this iterator.

    Args:
        model: the module to train.
        batches: an endless iterator of whatever `loss_function` takes.
        loss_function: takes model and batch and returns the sum of the losses and the number of terms in it. With the
            sum, accumulated batches of different size weigh every term the same, as one large batch would.
        optimizers: all are stepped; their learning rates are the peaks that `schedule` scales. A rate that was changed
            since an earlier call is the new peak; one that the earlier call left is not taken for it.
        steps: the step to stop at.
        schedule: factor of the learning rates by step.
        clip: the largest norm of the gradient (None: any).
        accumulate: batches whose gradients are added up before each step.
        precision: see `shared.lab.runtime.autocast`.
        start: steps done already, when a run is resumed.

    Raises:
        NonFiniteTraining: loss or gradient is not finite, before the weights are changed by it.
        ValueError: a batch without a single term of loss.
    """
    device = next(model.parameters()).device
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            if "peak" not in group or group["lr"] != group.get("scheduled", group["lr"]):
                group["peak"] = group["lr"]
    for step in range(start, steps):
        model.train()
        total, terms = 0.0, 0
        for optimizer in optimizers:
            optimizer.zero_grad()
        for _ in range(accumulate):
            with autocast(device, precision):
                loss, count = loss_function(model, next(batches))
            if count == 0:
                raise ValueError(f"a batch of step {step + 1} has no targets: every one of them is masked or missing")
            (loss if accumulate > 1 else loss / count).backward()
            total, terms = total + loss.item(), terms + count
        if not math.isfinite(total):
            raise NonFiniteTraining(step + 1, "loss", total)
        parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
        if accumulate > 1:
            for parameter in parameters:
                parameter.grad /= terms  # ty: ignore[unsupported-operator]
        # Gradients can be infinite or not a number where the loss is not: the square root of 0 has such a slope.
        norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
        if not math.isfinite(norm):
            raise NonFiniteTraining(step + 1, "norm of the gradient", norm.item())
        if clip is not None:
            nn.utils.clip_grads_with_norm_(parameters, clip, norm)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["scheduled"] = group["peak"] * schedule(step)
            optimizer.step()
        yield step + 1, total / terms
