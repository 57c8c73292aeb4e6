"""Where do tensors come from? What dtype each constructor chooses, and whether it copies what it is given.

    uv run sprints/01_setup_and_basics/creating_tensors.py

Whether memory is shared is found out by writing to the source and looking at the tensor. Random tensors are compared
with the mean and variance that they should have. Theory: notes/03_indexing.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    draws: AtLeastTwo = 100_000  # numbers to draw from each distribution


@dataclass(frozen=True)
class Constructed:
    dtype: str
    shape: list[int]
    shares_memory: bool | None


@dataclass(frozen=True)
class Moments:
    """Moments of drawn numbers, and how many standard errors they are from the true ones."""

    mean: float
    true_mean: float
    mean_off_by: float
    variance: float
    true_variance: float


@dataclass(frozen=True)
class Results:
    from_array: dict[str, Constructed]
    from_values: dict[str, Constructed]
    draws: dict[str, Moments]
    length_of_arange: int
    length_of_linspace: int


FROM_ARRAY: dict[str, Callable[[np.ndarray], Tensor]] = {
    "torch.tensor(array)": torch.tensor,
    "torch.as_tensor(array)": torch.as_tensor,
    "torch.from_numpy(array)": torch.from_numpy,
    "torch.from_numpy(array).float()": lambda array: torch.from_numpy(array).float(),
    "torch.from_numpy(array).double()": lambda array: torch.from_numpy(array).double(),
    "torch.Tensor(array)": torch.Tensor,
}
FROM_VALUES: dict[str, Callable[[], Tensor]] = {
    "torch.tensor([1, 2])": lambda: torch.tensor([1, 2]),
    "torch.tensor([1.0, 2])": lambda: torch.tensor([1.0, 2]),
    "torch.tensor([True])": lambda: torch.tensor([True]),
    "torch.tensor(3)": lambda: torch.tensor(3),
    "torch.Tensor(3)": lambda: torch.Tensor(3),
    "torch.zeros(2, 3)": lambda: torch.zeros(2, 3),
    "torch.full((2, 3), 7)": lambda: torch.full((2, 3), 7),
    "torch.arange(4)": lambda: torch.arange(4),
    "torch.arange(0, 1, 0.25)": lambda: torch.arange(0, 1, 0.25),
    "torch.linspace(0, 1, 5)": lambda: torch.linspace(0, 1, 5),
    "torch.eye(3)": lambda: torch.eye(3),
    "torch.zeros_like(torch.arange(4))": lambda: torch.zeros_like(torch.arange(4)),
    "torch.empty(2, 3, device='meta')": lambda: torch.empty(2, 3, device="meta"),
}


def describe(tensor: Tensor, shares_memory: bool | None = None) -> Constructed:
    return Constructed(str(tensor.dtype).removeprefix("torch."), list(tensor.shape), shares_memory)


def shares_memory(make: Callable[[np.ndarray], Tensor]) -> bool:
    """Return whether a change of the source shows in the tensor that was made of it."""
    array = np.zeros(3)
    tensor = make(array)
    array[0] = 1
    return tensor[0].item() == 1


def moments(numbers: Tensor, true_mean: float, true_variance: float) -> Moments:
    """Return the moments of numbers; the mean of n of them has the standard error sqrt(variance / n)."""
    mean = numbers.double().mean().item()
    error = math.sqrt(true_variance / numbers.numel())
    return Moments(mean, true_mean, (mean - true_mean) / error, numbers.double().var().item(), true_variance)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    from_array = {name: describe(make(np.zeros(3)), shares_memory(make)) for name, make in FROM_ARRAY.items()}
    from_values = {name: describe(make()) for name, make in FROM_VALUES.items()}
    n = config.draws
    draws = {
        "torch.rand": moments(torch.rand(n, generator=generator), 1 / 2, 1 / 12),
        "torch.randn": moments(torch.randn(n, generator=generator), 0.0, 1.0),
        "torch.randint(10)": moments(torch.randint(10, (n,), generator=generator), 4.5, 99 / 12),
        "torch.bernoulli(0.2)": moments(torch.bernoulli(torch.full((n,), 0.2), generator=generator), 0.2, 0.16),
    }
    for name, made in (from_array | from_values).items():
        shares = {True: "shares the array's memory", False: "a copy", None: ""}[made.shares_memory]
        print(f"{name:<36} {made.dtype:<9} {made.shape!s:<8} {shares}")
    for name, drawn in draws.items():
        print(f"{name:<22} mean {drawn.mean:+.4f} ({drawn.mean_off_by:+.1f} standard errors off), ", end="")
        print(f"variance {drawn.variance:.4f} for {drawn.true_variance:.4f}")
    arange, linspace = len(torch.arange(1, 1.3, 0.1)), len(torch.linspace(1, 1.3, 4))
    print(f"arange(1, 1.3, 0.1) has {arange} elements although 1.3 is excluded; linspace has as many as you ask for")
    return Results(from_array, from_values, draws, arange, linspace)


if __name__ == "__main__":
    run(main, Config, tolerance={"from_*": EXACT, "length_*": EXACT})
