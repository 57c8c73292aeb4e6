"""Checks of `share`, `mean_everywhere` and `step`: the example of the note, unequal processes, several batches."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

Batches = list[list[tuple[Tensor, Tensor]]]
# Note 1: one target in process 0, three in process 1; one weight.
NOTE: Batches = [
    [(torch.tensor([[1.0]]), torch.tensor([3.0]))],
    [(torch.tensor([[1.0], [2.0], [1.0]]), torch.tensor([0.0, 1.0, 1.0]))],
]


def draw(seed: int, counts: list[list[int]], features: int = 2) -> Batches:
    """Return batches of so many targets, of each process."""
    generator = torch.Generator().manual_seed(seed)
    return [
        [(torch.randn(count, features, generator=generator), torch.randn(count, generator=generator)) for count in own]
        for own in counts
    ]


def summed_gradient(weight: Tensor, batch: tuple[Tensor, Tensor]) -> Tensor:
    x, y = batch
    return x.mT @ (x @ weight - y)


def check_share_of_the_note(learner: Any) -> None:
    """A summed loss of 3 in one of two processes, which have four targets in all."""
    expect(learner.share, {"summed": torch.tensor(3.0), "targets_of_all": 4, "size": 2}, torch.tensor(1.5), {
        "The mean over processes divides once more: this is half of what it must be.": torch.tensor(0.75),
        "The number of processes belongs above the line.": torch.tensor(0.375),
        "The targets are missing: the loss of a step is a mean.": torch.tensor(6.0),
    })  # fmt: skip


def check_mean_everywhere(learner: Any) -> None:
    """Three processes, two numbers each; everyone gets all of the mean."""
    tensors = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.0]), torch.tensor([8.0, 2.0])]

    def stacked(*arguments: Tensor) -> Tensor:
        return torch.stack(learner.mean_everywhere(list(arguments)))

    given: dict[str, Any] = {f"process {rank}": tensor for rank, tensor in enumerate(tensors)}
    expect(stacked, given, torch.tensor([[4.0, 2.0]] * 3), {
        "This is the sum: divide by the number of processes.": torch.tensor([[12.0, 6.0]] * 3),
        "Every process still has its own tensor.": torch.stack(tensors),
    })  # fmt: skip


def check_that_everyone_has_a_tensor_of_its_own(learner: Any) -> None:
    """What one process does with its tensor later is not seen by another: they share no memory."""

    def places(*arguments: Tensor) -> int:
        return len({tensor.data_ptr() for tensor in learner.mean_everywhere(list(arguments))})

    mistake = "Processes share no memory: each needs a copy of the mean, and not the same tensor."
    expect(places, {"process 0": torch.ones(2), "process 1": torch.zeros(2)}, 2, {mistake: 1})


def compare(learner: Any, batches: Batches, rate: float, features: int) -> None:
    """Compare a step with that of one process that has all batches."""
    weight, size = torch.ones(features), len(batches)
    pairs = [pair for own in batches for pair in own]
    targets = sum(len(y) for _, y in pairs)
    sums = [sum((summed_gradient(weight, pair) for pair in own), torch.zeros(features)) for own in batches]
    counts = [sum(len(y) for _, y in own) for own in batches]
    right = torch.stack(sums).sum(dim=0) / targets
    of_means = torch.stack([total / count for total, count in zip(sums, counts, strict=True)]).mean(dim=0)
    of_batches = torch.stack([
        torch.stack([summed_gradient(weight, pair) / len(pair[1]) for pair in own]).mean(dim=0) for own in batches
    ]).mean(dim=0)  # fmt: skip

    def after(gradient: Tensor) -> Tensor:
        return torch.stack([weight - rate * gradient] * size)

    def stacked(batches: Batches, rate: float) -> Tensor:
        weights = [weight.clone() for _ in range(size)]
        return torch.stack(list(learner.step(weights, batches, rate)))

    own = [weight - rate * size * total / targets for total in sums]
    expect(stacked, {"batches": batches, "rate": rate}, after(right), {
        "Each process took the mean over its own targets: a target counts more, the fewer its process has.":
            after(of_means),
        "Every batch was averaged by itself: a step has one denominator, the targets of all its batches.":
            after(of_batches),
        "The step is too small, by the number of processes: the mean divides once more.": after(right / size),
        "The step is too large, by the number of processes: the sum was not divided by it.": after(right * size),
        "Every process made its own step: nothing was averaged.": torch.stack(own),
        "The step goes uphill.": after(-right),
    })  # fmt: skip


def check_the_step_of_the_note(learner: Any) -> None:
    """One target here and three there: the weight becomes 0.9."""
    compare(learner, NOTE, 0.4, 1)


def check_a_step_of_several_batches(learner: Any) -> None:
    """Three processes, two batches each, of unequal sizes."""
    compare(learner, draw(0, [[1, 4], [2, 2], [6, 1]]), 0.1, 2)


def check_a_process_without_targets(learner: Any) -> None:
    """Whoever has nothing still takes part, and makes the same step as the others."""
    compare(learner, draw(1, [[3], [0]]), 0.1, 2)
