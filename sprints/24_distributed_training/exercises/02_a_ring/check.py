"""Checks of `ring`, `sent` and `arrived`: generators pass messages in one process; and the examples of the notes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def run(ring: Callable[..., Any], buffers: list[Tensor]) -> tuple[list[list[Tensor]], list[list[int]]]:
    """Run one generator for each process, step by step; return their pieces and how many numbers each sent per step."""
    size = len(buffers)
    runs = [ring(rank, list(buffer.clone().tensor_split(size))) for rank, buffer in enumerate(buffers)]
    ended: dict[int, list[Tensor]] = {}
    lengths: list[list[int]] = [[] for _ in runs]
    messages: list[Tensor | None] = [None] * size
    while len(ended) < size:
        arriving = [messages[rank - 1] for rank in range(size)]
        for rank, program in enumerate(runs):
            try:
                message = program.send(arriving[rank])
            except StopIteration as end:
                ended[rank] = list(end.value)
                continue
            messages[rank] = message.clone()
            lengths[rank].append(message.numel())
        if ended and len(ended) < size:
            raise RuntimeError(f"processes {sorted(ended)} ended while the others still wait for a message")
        if len(lengths[0]) > 4 * size:
            raise RuntimeError(f"after {4 * size} steps of {size} processes it still sends")
    return [ended[rank] for rank in range(size)], lengths


def drawn(size: int, numbers: int) -> list[Tensor]:
    """Return buffers that say whose numbers they are: process r has 10**r, 2 * 10**r, ..."""
    return [torch.arange(1, numbers + 1) * 10**rank for rank in range(size)]


def sums(learner: Any, buffers: list[Tensor]) -> None:
    """Compare what every process ends with with the sum."""

    def all_of_them(*given: Tensor) -> Tensor:
        return torch.stack([torch.cat(pieces) for pieces in run(learner.ring, list(given))[0]])

    given: dict[str, Any] = {f"process {rank}": buffer for rank, buffer in enumerate(buffers)}
    total = torch.stack(buffers).sum(dim=0)
    expect(all_of_them, given, torch.stack([total] * len(buffers)), {
        "Nothing has changed: what arrives must be added.": torch.stack(buffers),
        "The sum is right in one piece of each process only: hand the whole pieces around as well.":
            after(buffers, copies=False),
        "In the second half pieces are whole: what arrives replaces what was there, and is not added.":
            after(buffers, adds=True),
        "The second half began with piece `rank`; whole at that moment is piece rank + 1.": after(buffers, first=0),
    })  # fmt: skip


def after(buffers: list[Tensor], *, copies: bool = True, adds: bool = False, first: int = 1) -> Tensor:
    """Return what all processes end with: with the second half left out, adding, or begun with another piece."""
    size = len(buffers)
    pieces = [list(buffer.tensor_split(size)) for buffer in buffers]
    for step in range((size - 1) * (2 if copies else 1)):
        before, adding = [list(own) for own in pieces], step < size - 1
        for rank in range(size):
            taken = (rank - step - 1) % size if adding else (rank + first - (step - size + 1) - 1) % size
            arrived = before[rank - 1][taken]
            pieces[rank][taken] = before[rank][taken] + arrived if adding or adds else arrived
    return torch.stack([torch.cat(own) for own in pieces])


def check_two_processes(learner: Any) -> None:
    """One step to add, one to copy."""
    sums(learner, drawn(2, 2))


def check_the_ring_of_the_note(learner: Any) -> None:
    """Three processes with three numbers each."""
    sums(learner, drawn(3, 3))


def check_pieces_of_unequal_length(learner: Any) -> None:
    """Four processes with six numbers, and three processes with two, of which one has an empty piece."""
    sums(learner, drawn(4, 6))
    sums(learner, drawn(3, 2))


def check_what_is_sent_in_each_step(learner: Any) -> None:
    """Four processes, eight numbers: two in each of six steps, from everyone."""

    def lengths(*given: Tensor) -> list[list[int]]:
        return run(learner.ring, list(given))[1]

    given: dict[str, Any] = {f"process {rank}": buffer for rank, buffer in enumerate(drawn(4, 8))}
    expect(lengths, given, [[2] * 6] * 4, {
        "The whole buffer goes around: the sum may be right, but each process sends N - 1 buffers. Send pieces.":
            [[8] * 3] * 4,
    })  # fmt: skip


def check_that_given_pieces_stay(learner: Any) -> None:
    """The buffer that was given is not changed."""

    def kept(buffer: Tensor) -> Tensor:
        buffers = [buffer.clone(), torch.zeros_like(buffer)]
        runs = [learner.ring(rank, list(own.tensor_split(2))) for rank, own in enumerate(buffers)]
        first = [next(program) for program in runs]
        for program, message in zip(runs, reversed([one.clone() for one in first]), strict=True):
            program.send(message)
        return buffers[1]

    buffer = torch.tensor([1, 2, 3, 4])
    changed = torch.tensor([1, 2, 0, 0])
    expect(kept, {"buffer": buffer}, torch.zeros_like(buffer), {
        "The given pieces were changed, as `+=` does with a tensor: make new ones.": changed,
    })  # fmt: skip


def check_numbers_sent(learner: Any) -> None:
    """Pieces of equal length, and then pieces of 2, 2, 1 and 1 numbers."""
    expect(learner.sent, {"rank": 0, "lengths": [5, 5, 5]}, 20, {
        "This is one half: adding and copying both send.": 10,
        "In each half one piece is not sent.": 30,
    })  # fmt: skip
    for rank, expected in enumerate((9, 10, 9, 8)):
        lengths = [2, 2, 1, 1]
        expect(learner.sent, {"rank": rank, "lengths": lengths}, expected, {
            "The first piece that is not sent is rank + 1, the second rank + 2; here they have other lengths.": 9,
            "Piece rank + 1 is kept back in the first half only: the second half begins with it.":
                12 - 2 * lengths[(rank + 1) % 4],
        })  # fmt: skip


def check_the_buckets_of_the_note(learner: Any) -> None:
    """Four layers one by one, in two buckets, and at once."""
    mistakes = {"A bucket must also wait until the one before has arrived.": [5.0, 7.0, 9.0, 11.0],
                "Every message takes its start again.": [5.0, 6.0, 7.0, 9.0]}  # fmt: skip
    given = {"ready": [2.0, 4.0, 6.0, 8.0], "lengths": [1, 1, 1, 1], "start": 2.0, "each": 1.0}
    expect(learner.arrived, given, [5.0, 8.0, 11.0, 14.0], mistakes)
    expect(learner.arrived, {"ready": [4.0, 8.0], "lengths": [2, 2], "start": 2.0, "each": 1.0}, [8.0, 12.0])
    expect(learner.arrived, {"ready": [8.0], "lengths": [4], "start": 2.0, "each": 1.0}, [14.0])


def check_a_bucket_that_is_late(learner: Any) -> None:
    """The line is free, but the gradients are not there yet."""
    given = {"ready": [1.0, 9.0], "lengths": [1, 2], "start": 0.5, "each": 1.0}
    expect(learner.arrived, given, [2.5, 11.5], {
        "A bucket cannot be sent before its gradients are there.": [2.5, 5.0],
    })  # fmt: skip
