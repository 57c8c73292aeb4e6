"""Which shapes fit together, and what is the gradient of a number that was used many times?

    uv run sprints/01_setup_and_basics/broadcasting.py

The rule in a few lines, compared with PyTorch's for every pair of small shapes; its backward pass, which is a sum; and
what a broadcast costs in memory. Theory: notes/04_broadcasting.md
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from shared.lab.compare import EXACT, ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: PositiveInt = 1000  # rows and columns that a column is expanded to


@dataclass(frozen=True)
class Results:
    pairs: int
    pairs_as_pytorch: int
    pairs_that_do_not_fit: int
    gradient_difference: float
    expanded_bytes: int
    copied_bytes: int


def broadcast_shapes(left: Shape, right: Shape) -> Shape:
    """Return the shape of an operation on two tensors.

    Shapes are aligned on the right and filled with 1 on the left; sizes must be equal, or one of them 1.

    Raises:
        ValueError: an axis with two different sizes, neither of which is 1.
    """
    shape: list[int] = []
    for left_size, right_size in itertools.zip_longest(reversed(left), reversed(right), fillvalue=1):
        if left_size != right_size and 1 not in (left_size, right_size):
            raise ValueError(
                f"sizes must be equal or 1, from the right; axis {-len(shape) - 1} of {left} and {right} has "
                f"{left_size} and {right_size}: insert an axis of 1 by unsqueeze, or transpose"
            )
        shape.append(right_size if left_size == 1 else left_size)
    return tuple(reversed(shape))


def unbroadcast(gradient: Tensor, shape: Shape) -> Tensor:
    """Return the gradient of a tensor that was broadcast: what was used many times gets the sum."""
    added = gradient.dim() - len(shape)
    for axis, size in enumerate((1,) * added + shape):
        if size == 1:
            gradient = gradient.sum(dim=axis, keepdim=True)
    return gradient.reshape(shape)


def compare_pairs() -> tuple[int, int, int]:
    """Return how many pairs of shapes were tried, judged as PyTorch does, and do not fit."""
    shapes = [shape for axes in range(4) for shape in itertools.product((1, 2, 3), repeat=axes)]
    tried = same = misfits = 0
    for left, right in itertools.product(shapes, repeat=2):
        try:
            theirs = tuple(torch.broadcast_shapes(left, right))
        except RuntimeError:
            theirs = None
        try:
            ours = broadcast_shapes(left, right)
        except ValueError:
            ours = None
        tried, same, misfits = tried + 1, same + (ours == theirs), misfits + (ours is None)
    return tried, same, misfits


def compare_gradients(generator: torch.Generator) -> float:
    """Return the largest difference between autograd's gradient of a broadcast factor and ours."""
    differences = []
    for shape in [(), (1,), (4,), (3, 1), (1, 4), (2, 1, 4), (2, 3, 4)]:
        factor = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        other = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
        (gradient,) = torch.autograd.grad((factor * other).sum(), factor)
        differences.append((gradient - unbroadcast(other, shape)).abs().max().item())
    return max(differences)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    tried, same, misfits = compare_pairs()
    print(f"{same} of {tried} pairs of shapes judged as PyTorch does; {misfits} do not fit")
    gradient_difference = compare_gradients(generator)
    print(f"gradients of broadcast factors differ by at most {gradient_difference:.0e}")
    size = config.size
    column = torch.zeros(size, 1)
    expanded, copied = column.expand(size, size), column.repeat(1, size)
    expanded_bytes, copied_bytes = expanded.untyped_storage().nbytes(), copied.untyped_storage().nbytes()
    print(f"a column expanded to {size} x {size} takes {expanded_bytes:,} bytes, repeated {copied_bytes:,}")
    return Results(tried, same, misfits, gradient_difference, expanded_bytes, copied_bytes)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "gradient_difference": ROUNDING})
