"""Faults of training on several processes that make no error, each beside the right way; called in a group of two.

The model is small and in float64, so that what is not a fault is zero to fifteen digits. "One process" always means the
same rows and weights without any group.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from parallel_study import checks
from parallel_study.one_gradient import average_gradients, gradient_of
from shared.training.parallel import loss_of_all, present

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "SGD with momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "Adam": lambda weights: torch.optim.Adam(weights, lr=0.01),
}


@dataclass(frozen=True)
class Fault:
    """What was measured, in the wrong and in the right way, and what the check says of each."""

    measured: str
    wrong: float
    right: float
    said_of_wrong: str
    said_of_right: str


def beside(measured: str, found: Mapping[str, tuple[float, str]]) -> Fault:
    """Return a fault from what was found in the "wrong" and in the "right" way: the number, and what the check says."""
    (wrong, of_wrong), (right, of_right) = found["wrong"], found["right"]
    return Fault(measured, wrong, right, of_wrong, of_right)


def said(check: Callable[..., None], *arguments: Any) -> str:
    """Return what a check says, or nothing if it agrees."""
    try:
        check(*arguments)
    except AssertionError as error:
        return str(error)
    return ""


def new_model() -> nn.Sequential:
    """Return a small network in float64, with the same weights whenever and wherever it is called."""
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1, bias=False)).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.double) / 2)
    return model


def new_rows(count: int = 8) -> tuple[Tensor, Tensor]:
    """Return features (count, 6) and targets (count, 1)."""
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(count, 6, generator=generator, dtype=torch.double)
    return features, features[:, :1] * 2 + torch.randn(count, 1, generator=generator, dtype=torch.double)


def error_sum(model: Any, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """Return the sum of squared errors of rows, and their number."""
    features, targets = batch
    return functional.mse_loss(model(features), targets, reduction="sum"), len(features)


def away(ours: Tensor, one: Tensor) -> float:
    """Return how far a vector is from that of one process, as a share of the latter's length."""
    return ((ours - one).norm() / one.norm()).item()


def share() -> slice:
    """Return the rows of this process: its rank, and every `size`-th after it."""
    return slice(present().rank, None, present().size)


def gradient_of_one_process(rows: tuple[Tensor, Tensor]) -> Tensor:
    model = new_model()
    loss, count = error_sum(model, rows)
    (loss / count).backward()
    return gradient_of(model)


def mean_of_means() -> Fault:
    """Two of eight rows are the first process's, six the second's: which gradient comes out?"""
    features, targets = new_rows()
    own = slice(0, 2) if present().rank == 0 else slice(2, 8)
    rows, one = (features[own], targets[own]), gradient_of_one_process((features, targets))
    found = {}
    for name, loss_function in (("wrong", error_sum), ("right", loss_of_all(error_sum, present()))):
        model = DistributedDataParallel(new_model())
        loss, count = loss_function(model, rows)
        (loss / count).backward()
        found[name] = away(gradient_of(model), one), said(checks.assert_same_on_all_ranks, {"the divisor": count})
    return beside("gradient, away from one process's", found)


def reduce_in_pieces(late: bool, pieces: int = 4) -> tuple[int, Tensor]:
    """Return how often the gradients of a batch in pieces were reduced, and the gradient.

    Args:
        late: `no_sync` covers the backward passes alone.
        pieces: of a process's rows.
    """
    features, targets = (part[share()] for part in new_rows())
    model = DistributedDataParallel(new_model())
    sizes: list[int] = []

    def counting(group: distributed.ProcessGroup, bucket: distributed.GradBucket) -> torch.futures.Future[Tensor]:
        sizes.append(bucket.buffer().nbytes)
        return allreduce_hook(group, bucket)

    model.register_comm_hook(distributed.group.WORLD, counting)
    for piece in range(pieces):
        quiet = nullcontext() if piece == pieces - 1 else model.no_sync()
        rows = features[piece::pieces], targets[piece::pieces]
        if late:
            loss, _ = error_sum(model, rows)
            with quiet:
                (loss / len(features)).backward()
        else:
            with quiet:
                loss, _ = error_sum(model, rows)
                (loss / len(features)).backward()
    return len(sizes), gradient_of(model)


def late_no_sync() -> Fault:
    """Four pieces of a batch make one step: how often are gradients reduced?"""
    counts = {name: reduce_in_pieces(late=name == "wrong")[0] for name in ("wrong", "right")}
    found = {name: (count, said(checks.assert_reductions, count, 1)) for name, count in counts.items()}
    return beside("reductions in a step of four pieces", found)


class Trained(NamedTuple):
    """Weights after each step, and what the check says of the optimizer's averages at the end."""

    weights: list[Tensor]
    said: str


def train(optimizer_name: str, averaged: str, steps: int) -> Trained:
    """Train with "gradients" or "parameters" averaged over all processes after each step, or "nothing": one process."""
    features, targets = new_rows()
    if averaged != "nothing":
        features, targets = (part[share()] for part in (features, targets))
    model, weights = new_model(), []
    optimizer = OPTIMIZERS[optimizer_name](model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        loss, count = error_sum(model, (features, targets))
        (loss / count).backward()
        if averaged == "gradients":
            average_gradients(model)
        optimizer.step()
        if averaged == "parameters":
            average_parameters(model)
        weights.append(torch.cat([weight.detach().flatten() for weight in model.parameters()]))
    averages = {
        f"{name} of weight {number}": value
        for number, state in enumerate(optimizer.state.values())
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    return Trained(weights, said(checks.assert_same_on_all_ranks, averages))


@torch.no_grad()
def average_parameters(model: nn.Module) -> None:
    """Replace every weight by its mean over all processes."""
    for weight in model.parameters():
        distributed.all_reduce(weight)
        weight /= present().size


def averaged_parameters(steps: int = 50) -> tuple[Fault, dict[str, list[float]]]:
    """Each process takes a step with its own gradient, and then weights are averaged: is that the same?

    Returns:
        the fault, as Adam shows it, and how far weights are from one process's after each step, by optimizer.
    """
    courses = {}
    for name in OPTIMIZERS:
        one, ours = train(name, "nothing", steps), train(name, "parameters", steps)
        courses[name] = [away(a, b) for a, b in zip(ours.weights, one.weights, strict=True)]
    right, one = train("Adam", "gradients", steps), train("Adam", "nothing", steps)
    found = {"wrong": (courses["Adam"][-1], ours.said), "right": (away(right.weights[-1], one.weights[-1]), right.said)}
    return beside(f"weights after {steps} steps of Adam, away from one process's", found), courses
