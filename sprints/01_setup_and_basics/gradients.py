"""What does autograd add up, what does it keep, and where does it stop?

    uv run sprints/01_setup_and_basics/gradients.py

Paths and calls that add up, detach and no_grad, gradients of a batch in parts, the memory that waits for the backward
pass, and the errors of four common mistakes. Theory: notes/08_autograd.md
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from shared.lab.compare import EXACT, ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Examples = Annotated[int, Field(ge=8, le=MOST)]  # for four parts


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: Examples = 100  # examples of the regression whose gradient is made in parts


@dataclass(frozen=True)
class Results:
    slopes: dict[str, float | None]
    micro_batch_errors: dict[str, float]
    kept_bytes: dict[str, int]
    kept_by_formula: int
    errors: dict[str, str]


def slopes() -> dict[str, float | None]:
    """Return the gradient at x = 3 of expressions that are worth 9 or 18; None where there is none."""
    expressions: dict[str, Callable[[Tensor], Tensor]] = {
        "x * x": lambda x: x * x,
        "x * x + x * x (two paths add up)": lambda x: x * x + x * x,
        "x * x.detach() (a constant factor)": lambda x: x * x.detach(),
        "(x * x).detach()": lambda x: (x * x).detach(),
        "x * x under no_grad": torch.no_grad()(lambda x: x * x),
        "x + (x * x - x).detach() (straight through)": lambda x: x + (x * x - x).detach(),
    }
    gradients = {}
    for name, expression in expressions.items():
        x = torch.tensor(3.0, requires_grad=True)
        y = expression(x)
        gradients[name] = torch.autograd.grad(y, x)[0].item() if y.requires_grad else None
    x = torch.tensor(3.0, requires_grad=True)
    x.grad = added_up = torch.zeros(())  # backward adds into the tensor that it finds there
    for _ in range(2):
        (x * x).backward()
    gradients["x * x, backward called twice"] = added_up.item()
    return gradients


def linear_loss(weights: Tensor, features: Tensor, targets: Tensor) -> Tensor:
    return (features @ weights - targets).square().mean()


def micro_batch_errors(weights: Tensor, features: Tensor, targets: Tensor) -> dict[str, float]:
    """Return how far the gradient of uneven parts is from that of the whole, for two ways of adding the parts."""

    def gradient(*batch: Tensor) -> Tensor:
        return torch.autograd.grad(linear_loss(weights, *batch), weights)[0]

    whole = gradient(features, targets)
    sizes = [len(targets) // 2, len(targets) // 4, len(targets) - len(targets) // 2 - len(targets) // 4 - 1, 1]
    parts = [
        (gradient(*batch), len(batch[1])) for batch in zip(features.split(sizes), targets.split(sizes), strict=True)
    ]
    added = {
        "weighted by examples": sum(part * count for part, count in parts) / len(targets),
        "mean of the parts": sum(part for part, _ in parts) / len(parts),
    }
    return {name: ((total - whole).norm() / whole.norm()).item() for name, total in added.items()}


def kept_bytes(examples: int, features: int, hidden: int) -> dict[str, int]:
    """Return the memory that a forward pass keeps for the backward pass, parameters not counted."""
    model = nn.Sequential(
        nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1)
    )
    inputs, own = torch.zeros(examples, features), {p.untyped_storage().data_ptr() for p in model.parameters()}

    def count(context: contextlib.AbstractContextManager) -> int:
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with context, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            _output = model(inputs)  # held until all is counted, or its memory would be used again
        return sum(kept.values())

    contexts = {
        "gradients": contextlib.nullcontext(),
        "no_grad": torch.no_grad(),
        "inference_mode": torch.inference_mode(),
    }
    return {name: count(context) for name, context in contexts.items()}


def provoke_errors() -> dict[str, str]:
    """Return what PyTorch says, in its first sentence, to four common mistakes."""

    def backward_twice() -> None:
        y = torch.ones(2, requires_grad=True).exp().sum()
        y.backward()
        y.backward()

    def changed_in_place() -> None:
        y = torch.ones(2, requires_grad=True).exp()
        y += 1  # exp keeps its result for the backward pass
        y.sum().backward()

    def leaf_changed_in_place() -> None:
        x = torch.ones(2, requires_grad=True)
        x += 1

    def no_scalar() -> None:
        torch.ones(2, requires_grad=True).exp().backward()

    messages = {}
    for mistake in (backward_twice, changed_in_place, leaf_changed_in_place, no_scalar):
        try:
            mistake()
        except RuntimeError as error:
            messages[mistake.__name__] = str(error).partition(". ")[0].partition(": [")[0].partition(" (")[0]
    return messages


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    by_expression = slopes()
    for name, slope in by_expression.items():
        print(f"{name:<45} {'no gradient' if slope is None else f'slope {slope:g}'}")
    features = torch.randn(config.examples, 3, generator=generator, dtype=torch.float64)
    targets = features.sum(dim=1) + torch.randn(config.examples, generator=generator, dtype=torch.float64)
    micro = micro_batch_errors(torch.zeros(3, dtype=torch.float64, requires_grad=True), features, targets)
    for name, error in micro.items():
        print(f"gradient of four uneven parts, {name}: off by {error:.1%} (relative error {error:.0e})")
    kept, errors = kept_bytes(1000, 64, 256), provoke_errors()
    # Linear layers keep their inputs and tanh its outputs, which are the same tensors.
    by_formula = 4 * 1000 * (64 + 2 * 256)
    print(", ".join(f"{name} keeps {count:,} bytes" for name, count in kept.items()) + f" (formula {by_formula:,})")
    for name, sentence in errors.items():
        print(f"{name}: {sentence}")
    return Results(by_expression, micro, kept, by_formula, errors)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "micro_batch_errors.*": ROUNDING})
