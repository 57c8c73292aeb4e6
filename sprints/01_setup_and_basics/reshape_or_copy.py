"""When does a reshape need a copy, and what does the copy cost?

    uv run sprints/01_setup_and_basics/reshape_or_copy.py

`view_strides` decides from shape and strides alone, and is compared with `Tensor.view` on all reshapes of transposed,
sliced and expanded tensors. Then a matrix is copied along its memory and across it.
Theory: notes/02_tensors_and_memory.md
"""

import itertools
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: PositiveInt = 2048  # rows of the matrix whose copies are timed
    repeats: PositiveInt = 15  # timed copies of each kind


@dataclass(frozen=True)
class Results:
    reshapes: int
    decided_as_pytorch: int
    need_a_copy: int
    transposed_copy_ratio: float


def view_strides(shape: Sequence[int], strides: Sequence[int], new_shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return strides that show the same memory in a new shape, or None where none do and a copy is needed.

    Neighbouring axes form a run if one step along the left is as far as all steps along the right. New axes may cut a
    run into pieces; none may reach across two runs.

    Raises:
        ValueError: the shapes hold different numbers of elements.
    """
    if math.prod(shape) != math.prod(new_shape):
        raise ValueError(f"a view has as many elements as its tensor; got shapes {tuple(shape)} and {tuple(new_shape)}")
    runs: list[tuple[int, int]] = []  # (elements, stride)
    for size, stride in zip(shape, strides, strict=True):
        if runs and runs[-1][1] == size * stride:
            runs[-1] = (runs[-1][0] * size, stride)
        elif size > 1:  # nobody ever steps along an axis of one
            runs.append((size, stride))
    new_strides: list[int] = []
    left, stride = 1, 1
    for size in reversed(new_shape):
        if left == 1 and size > 1:
            left, stride = runs.pop()
        if left % size:
            return None
        new_strides.append(stride)
        left, stride = left // size, stride * size
    return tuple(reversed(new_strides))


def compare_reshapes() -> tuple[int, int, int]:
    """Return how many reshapes were tried, decided as PyTorch does, and need a copy."""
    x = torch.arange(24).view(2, 3, 4)
    sources = [x.permute(axes) for axes in itertools.permutations(range(3))] + [
        x[:, :1],
        x[..., ::2],
        x[:1].expand(3, 3, 4),
    ]
    tried = same = copies = 0
    for source in sources:
        for new_shape in itertools.product((1, 2, 3, 4, 6, 8, 12), repeat=3):
            if math.prod(new_shape) != source.numel():
                continue
            ours = view_strides(source.shape, source.stride(), new_shape)
            try:
                theirs = source.view(new_shape)
                right = ours is not None and torch.equal(source.as_strided(new_shape, ours), theirs)
            except RuntimeError:
                right = ours is None
            tried, same, copies = tried + 1, same + right, copies + (ours is None)
    return tried, same, copies


def transposed_copy_ratio(size: int, repeats: int) -> float:
    """Return how much longer it takes to copy a matrix across its memory than along it."""
    x, ratios = torch.zeros(size, size), []
    for _ in range(repeats):
        seconds = []
        for copy in (lambda: x.clone(), lambda: x.mT.contiguous()):
            began = time.perf_counter()
            copy()
            seconds.append(time.perf_counter() - began)
        ratios.append(seconds[1] / seconds[0])
    return statistics.median(ratios)


def main(config: Config) -> Results:
    tried, same, copies = compare_reshapes()
    print(f"{same} of {tried} reshapes decided as PyTorch does; {copies} of them need a copy")
    ratio = transposed_copy_ratio(config.size, config.repeats)
    print(f"copying a matrix across its memory takes {ratio:.1f} times as long as along it")
    return Results(tried, same, copies, ratio)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "transposed_copy_ratio": TIMING})
