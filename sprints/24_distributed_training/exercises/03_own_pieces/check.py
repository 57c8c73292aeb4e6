"""Checks of `bytes_kept`, `reduce_scatter` and `step`: numbers of the note, pieces of unequal length, two steps."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def draw(seed: int, numbers: int, processes: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(numbers, generator=generator) for _ in range(processes)]


def check_bytes_of_the_note(learner: Any) -> None:
    """Mixed precision on eight processes: 16, 5.5, 3.75 and 2 bytes; and float32 on two."""
    for stage, expected in enumerate((16.0, 5.5, 3.75, 2.0)):
        given = {"stage": stage, "processes": 8, "weight": 2.0, "gradient": 2.0, "states": 12.0}
        mistakes = {
            "Everything is shared here, at every stage: stage 1 shares only the states.": 2.0,
            "Stage 1 shares the states, and weights come last: this is the other way round.":
                (16.0, 14.25, 12.5, 2.0)[stage],
            "A stage shares what the stages before it share, too.": (16.0, 5.5, 14.25, 14.25)[stage],
        }  # fmt: skip
        expect(learner.bytes_kept, given, expected, mistakes)
    given = {"stage": 2, "processes": 2, "weight": 4.0, "gradient": 4.0, "states": 8.0}
    expect(learner.bytes_kept, given, 10.0)


def compare_pieces(learner: Any, rows: list[Tensor]) -> None:
    size, numbers = len(rows), len(rows[0])
    length = -(-numbers // size)
    mean = torch.stack(rows).mean(dim=0)

    def cut(whole: Tensor) -> list[Tensor]:
        return [whole[rank * length : (rank + 1) * length] for rank in range(size)]

    def flat(pieces: list[Tensor]) -> Tensor:
        """Return all pieces in one row, with 99 behind each, so that their borders show."""
        return torch.cat([torch.cat([piece, torch.full((1,), 99.0)]) for piece in pieces])

    def scattered(*rows: Tensor) -> Tensor:
        return flat(list(learner.reduce_scatter(list(rows))))

    given = {f"process {rank}": row for rank, row in enumerate(rows)}
    even = list(mean.tensor_split(size))
    expect(scattered, given, flat(cut(mean)), {
        "Pieces are those of the sum: divide by the number of processes.": flat(cut(mean * size)),
        "Every process got the whole mean: that is an all-reduce.": flat([mean] * size),
        "Each process has a piece of its own row: nothing was averaged.":
            flat([cut(row)[rank] for rank, row in enumerate(rows)]),
        "Pieces are as equal as can be; here all but the last have the length that was rounded up.": flat(even),
        "Numbers are missing: a length that is rounded down leaves out the end.":
            flat([mean[rank * (numbers // size) : (rank + 1) * (numbers // size)] for rank in range(size)]),
        "Process r gets every N-th number: a piece is a stretch of neighbours.":
            flat([mean[rank::size] for rank in range(size)]),
    })  # fmt: skip


def check_pieces_of_equal_length(learner: Any) -> None:
    """Two processes, four numbers. (99 stands behind each piece, here and below.)"""
    compare_pieces(learner, [torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([3.0, 2.0, 1.0, 8.0])])


def check_a_last_piece_that_is_shorter(learner: Any) -> None:
    """Three processes, seven numbers: 3, 3 and 1."""
    compare_pieces(learner, draw(0, 7, 3))


def check_an_empty_piece(learner: Any) -> None:
    """Four processes, nine numbers: 3, 3, 3 and none."""
    compare_pieces(learner, draw(1, 9, 4))


def compare_steps(learner: Any, numbers: int, processes: int, steps: int) -> None:
    """Compare weight and averages with those of one process."""
    rate, momentum, length = 0.5, 0.75, -(-numbers // processes)
    (weight,) = draw(2, numbers, 1)
    every = [draw(3 + step, numbers, processes) for step in range(steps)]

    def cut(whole: Tensor) -> list[Tensor]:
        return [whole[rank * length : (rank + 1) * length] for rank in range(processes)]

    def one_process(first_only: bool = False, summed: bool = False, forgets: bool = False, old: bool = False) -> Tensor:
        now, average = weight.clone(), torch.zeros(numbers)
        for gradients in every:
            gradient = torch.stack(gradients).sum(dim=0) if summed else torch.stack(gradients).mean(dim=0)
            before, average = average, (0.0 if forgets else momentum) * average + gradient
            used = before if old else average
            if first_only:
                used = torch.where(torch.arange(numbers) < length, used, torch.zeros(()))
            now = now - rate * used
        return torch.cat([now, average])

    def whole(*_: Any) -> Tensor:
        now, averages = weight.clone(), [torch.zeros_like(piece) for piece in cut(weight)]
        for gradients in every:
            now, averages = learner.step(now, list(gradients), list(averages), rate, momentum)
        return torch.cat([now, *averages])

    given: dict[str, Any] = {"weight": weight, "gradients of all steps": every, "rate": rate, "momentum": momentum}
    expect(whole, given, one_process(), {
        "Only the first piece has moved: every process moves its own.": one_process(first_only=True),
        "The gradients were added up and not averaged.": one_process(summed=True),
        "The averages forget: momentum times the old one belongs to the new one.": one_process(forgets=True),
        "The weight moves by the average from before the step.": one_process(old=True),
    })  # fmt: skip


def check_a_first_step(learner: Any) -> None:
    """Two processes, four numbers; behind the weight stand the averages of all processes."""
    compare_steps(learner, 4, 2, 1)


def check_three_steps(learner: Any) -> None:
    """Three processes, seven numbers: the averages are handed from step to step."""
    compare_steps(learner, 7, 3, 3)
