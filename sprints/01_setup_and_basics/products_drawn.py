"""What does a matrix product do, and what do the letters of einsum mean?

    uv run sprints/01_setup_and_basics/products_drawn.py

One element of the product is worked out; then seven lines of einsum are compared with loops and with PyTorch's names
for the same thing. Theory: notes/05_matrix_products.md
"""

import itertools
import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.lab.runtime import seed_everything

LEFT, RIGHT = ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), ((1.0, 0.0), (0.0, 1.0), (2.0, 1.0))


@dataclass(frozen=True)
class Config(ScriptConfig):
    """Only the options that every script has."""


@dataclass(frozen=True)
class Results:
    product: list[list[float]]
    terms: list[float]
    differences: dict[str, float]


def einsum_by_loops(letters: str, *tensors: Tensor) -> Tensor:
    """Return what einsum returns: go through all values of all letters, multiply, and add where the result has room."""
    inputs, output = letters.split("->")
    axes = inputs.split(",")
    sizes = {
        letter: size
        for names, tensor in zip(axes, tensors, strict=True)
        for letter, size in zip(names, tensor.shape, strict=True)
    }
    result = torch.zeros([sizes[letter] for letter in output], dtype=tensors[0].dtype)
    for values in itertools.product(*(range(size) for size in sizes.values())):
        at = dict(zip(sizes, values, strict=True))
        factors = [
            tensor[tuple(at[letter] for letter in names)].item() for names, tensor in zip(axes, tensors, strict=True)
        ]
        result[tuple(at[letter] for letter in output)] += math.prod(factors)
    return result


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    left, right = torch.tensor(LEFT), torch.tensor(RIGHT)
    product = left @ right  # (2, 3) @ (3, 2): (2, 2)
    terms = left[1] * right[:, 0]
    print(f"row 1 of the left times column 0 of the right: {terms.tolist()}, together {terms.sum().item():g}")
    a, b = torch.randn(3, 4, generator=generator).double(), torch.randn(4, 2, generator=generator).double()
    u, v = torch.randn(3, generator=generator).double(), torch.randn(4, generator=generator).double()
    c, d = torch.randn(5, 3, 4, generator=generator).double(), torch.randn(5, 4, 2, generator=generator).double()
    cases: dict[str, tuple[tuple[Tensor, ...], Tensor]] = {
        "ij->ji": ((a,), a.mT),
        "ij->": ((a,), a.sum()),
        "ij->i": ((a,), a.sum(dim=1)),
        "i,i->": ((u, u), u @ u),
        "i,j->ij": ((u, v), torch.outer(u, v)),
        "ik,kj->ij": ((a, b), a @ b),
        "bik,bkj->bij": ((c, d), c @ d),
    }
    differences = {}
    for letters, (tensors, known) in cases.items():
        ours, theirs = einsum_by_loops(letters, *tensors), torch.einsum(letters, *tensors)
        differences[letters] = max((ours - theirs).abs().max().item(), (theirs - known).abs().max().item())
        print(f"einsum {letters:<14} {tuple(theirs.shape)!s:<11} differs by {differences[letters]:.0e}")
    return Results(product.tolist(), terms.tolist(), differences)


def plot(results: Results) -> Figure:
    """Draw the product with one of its elements, the terms of that element, and an outer product."""
    figure, axes = drawings.canvas(8.0, 4.2)
    cells, size, weak, strong = drawings.cells, 0.5, 0.2, 0.7
    cells(
        axes, LEFT, 0.6, 1.85, colour=drawings.QUERY, size=size, strengths=[[weak] * 3, [strong] * 3],
        row_names=("i = 0", "i = 1"),
    )  # fmt: skip
    drawings.text(axes, "left (2, 3): axes i, k", 1.35, 0.55)
    cells(
        axes, RIGHT, 2.4, 3.6, colour=drawings.KEY, size=size, strengths=[[strong, weak]] * 3,
        column_names=("j = 0", "j = 1"),
    )  # fmt: skip
    drawings.text(axes, "right (3, 2): axes k, j", 2.25, 3.3, align="right")
    cells(axes, results.product, 2.4, 1.85, colour=drawings.VALUE, size=size, strengths=[[weak] * 2, [strong, weak]])
    drawings.text(axes, "product (2, 2): i, j", 2.9, 0.55)
    drawings.text(axes, "the dark cell: multiply along k, then add", 6.0, 3.85, bold=True)
    cells(axes, [LEFT[1]], 4.7, 3.6, colour=drawings.QUERY, size=size)
    drawings.text(axes, "×", 5.45, 2.95)
    cells(axes, [[line[0] for line in RIGHT]], 4.7, 2.8, colour=drawings.KEY, size=size)
    drawings.text(axes, "=", 5.45, 2.15)
    cells(axes, [results.terms], 4.7, 2.0, colour=drawings.VALUE, size=size)
    drawings.arrow(axes, (6.25, 1.75), (6.95, 1.75), "add")
    cells(axes, [[sum(results.terms)]], 7.05, 2.0, colour=drawings.VALUE, size=size, strengths=[[strong]])
    drawings.text(axes, "einsum('ik,kj->ij'): k is not in the result, so it is added up", 6.0, 1.1)
    drawings.text(axes, "einsum('i,j->ij'): no letter is missing, nothing is added up", 6.0, 0.8)
    axes.set_ylim(0.35, 4.1)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
