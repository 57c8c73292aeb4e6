"""Checks for several processes: each names one fault that makes no error, and all processes raise together.

A check that only one process failed would leave the others waiting. So every check first gathers what all of them have,
and then each of them decides on the same facts.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor


def gathered(value: Any) -> list[Any]:
    """Return what each process has, by rank; plain values only."""
    values = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


def fingerprint(tensor: Tensor) -> str:
    """Return a hash of a tensor's shape, type and bytes.

    Raises:
        ValueError: the tensor is sharded: processes have other rows of it on purpose.
    """
    if isinstance(tensor, DTensor):
        raise ValueError("a sharded tensor has other rows in each process: compare tensor.full_tensor() of each")
    tensor = tensor.detach().cpu().contiguous()
    head = f"{tuple(tensor.shape)} {tensor.dtype} ".encode()
    return hashlib.sha256(head + tensor.flatten().view(torch.uint8).numpy().tobytes()).hexdigest()[:16]


def assert_same_on_all_ranks(named: nn.Module | Mapping[str, Tensor | float]) -> None:
    """Check that weights and buffers of a model, or named tensors or numbers, are the same in every process.

    Raises:
        AssertionError: one is not, bit for bit; it is named, with what each process has.
    """
    state = named.state_dict() if isinstance(named, nn.Module) else named
    own = {name: fingerprint(value) if isinstance(value, Tensor) else value for name, value in state.items()}
    everyone = gathered(own)
    # The names of all: who goes through its own may find nothing where another one raises.
    for name in dict.fromkeys(name for other in everyone for name in other):
        values = [other.get(name, "missing") for other in everyone]
        if any(value != values[0] for value in values):
            shown = ", ".join(str(value) for value in values)
            raise AssertionError(f"{name} must be the same in every process, and is {shown}")


def assert_different_on_all_ranks(draw: Tensor, what: str = "a random draw") -> None:
    """Check that no two processes have drawn the same numbers.

    Raises:
        AssertionError: two have.
    """
    prints = gathered(fingerprint(draw))
    first = {value: rank for rank, value in reversed(list(enumerate(prints)))}
    for rank, value in enumerate(prints):
        if first[value] != rank:
            raise AssertionError(f"{what} must differ between processes, and {first[value]} and {rank} drew the same")


def assert_each_row_once(rows: Sequence[int], total: int) -> None:
    """Check that the rows of all processes together are each of `total` rows, once.

    Raises:
        AssertionError: rows are missing or were counted twice; both are listed.
    """
    counts = Counter(row for own in gathered(list(rows)) for row in own)
    twice = sorted(row for row, count in counts.items() if count > 1)
    missing = sorted(set(range(total)) - set(counts))
    if twice or missing:
        raise AssertionError(f"each of {total} rows must be seen once: {twice} more than once, {missing} not at all")


def assert_new_order(before: Sequence[int], now: Sequence[int]) -> None:
    """Check that an epoch has another order than the one before it, in at least one process.

    Raises:
        AssertionError: it is the same order in every process.
    """
    if all(gathered(list(before) == list(now))):
        raise AssertionError("two epochs have the same order in every process: was set_epoch(epoch) called?")


def assert_reductions(done: int, expected: int) -> None:
    """Check how many reductions a step has started.

    Raises:
        AssertionError: more or fewer than expected, in any process.
    """
    counts = gathered(done)
    if any(count != expected for count in counts):
        raise AssertionError(f"{expected} expected, and a step started {max(counts)} reductions: see no_sync")


def assert_one_writer(writes: bool) -> None:
    """Check that one process alone is about to write a file that all of them know.

    Raises:
        AssertionError: several are, or none.
    """
    writers = [rank for rank, wants in enumerate(gathered(writes)) if wants]
    if len(writers) != 1:
        raise AssertionError(f"one process must write this file, and {writers} would: a file of two writers is torn")
