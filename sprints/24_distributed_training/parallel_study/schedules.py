"""Orders of work in a pipeline, and what follows from them: when each piece is done, who is idle, what waits."""

from collections.abc import Sequence
from typing import Literal, NamedTuple


class Work(NamedTuple):
    """The forward or backward pass of a micro-batch through one part of the model, counted from the front."""

    kind: Literal["F", "B"]
    micro: int
    part: int


class Done(NamedTuple):
    """A piece of work and when it began and ended."""

    work: Work
    start: float
    end: float


Order = list[Work]


def all_forward_all_backward(rank: int, micros: int) -> Order:
    """Return the order of a process in GPipe (Huang et al. 2019): all forward passes, then all backward passes."""
    return [Work("F", micro, rank) for micro in range(micros)] + [Work("B", micro, rank) for micro in range(micros)]


def one_forward_one_backward(rank: int, size: int, micros: int) -> Order:
    """Return the order of a process in 1F1B (PipeDream-Flush, Narayanan et al. 2021).

    Process `rank` lets so many micro-batches pass as processes are behind it. From then on each forward pass is
    followed by a backward pass, so that at most `size - rank` micro-batches wait for theirs.
    """
    ahead = min(size - rank - 1, micros)
    order = [Work("F", micro, rank) for micro in range(ahead)]
    for micro in range(ahead, micros):
        order += [Work("F", micro, rank), Work("B", micro - ahead, rank)]
    return order + [Work("B", micro, rank) for micro in range(micros - ahead, micros)]


def interleaved(rank: int, size: int, micros: int, chunks: int) -> Order:
    """Return the order of a process that has several parts of the model: rank, rank + size, ... (Megatron-LM, 2021).

    Raises:
        ValueError: the number of processes does not divide that of micro-batches, which come in groups of `size`.
    """
    if micros % size:
        raise ValueError(f"interleaved, {micros} micro-batches come in groups of {size}: choose a multiple of {size}")
    total = micros * chunks

    def numbered(kind: Literal["F", "B"], number: int) -> Work:
        group, within = divmod(number, size * chunks)
        chunk = within // size if kind == "F" else chunks - 1 - within // size
        return Work(kind, group * size + within % size, chunk * size + rank)

    ahead = min(2 * (size - rank - 1) + (chunks - 1) * size, total)
    order = [numbered("F", number) for number in range(ahead)]
    for number in range(ahead, total):
        order += [numbered("F", number), numbered("B", number - ahead)]
    return order + [numbered("B", number) for number in range(total - ahead, total)]


def orders_of(name: str, size: int, micros: int, chunks: int = 1) -> list[Order]:
    """Return the orders of all processes: "GPipe", "1F1B" or "interleaved"."""
    if name == "GPipe":
        return [all_forward_all_backward(rank, micros) for rank in range(size)]
    if name == "1F1B":
        return [one_forward_one_backward(rank, size, micros) for rank in range(size)]
    if name == "interleaved":
        return [interleaved(rank, size, micros, chunks) for rank in range(size)]
    raise ValueError(f"a schedule is GPipe, 1F1B or interleaved; got {name!r}")


def timed(orders: Sequence[Order], forward: float = 1.0, backward: float = 2.0) -> list[list[Done]]:
    """Return when each piece of work is done, if each process does its own in order, as soon as it can.

    A forward pass needs that of the part before; a backward pass needs that of the part behind, and its own forward.

    Args:
        orders: of all processes.
        forward: time of a forward pass through a part.
        backward: time of a backward pass through a part.

    Raises:
        ValueError: processes wait for each other for ever.
    """
    last = max(work.part for order in orders for work in order)
    ends: dict[Work, float] = {}
    done: list[list[Done]] = [[] for _ in orders]
    moved = True
    while moved:
        moved = False
        for order, own in zip(orders, done, strict=True):
            while len(own) < len(order):
                work = order[len(own)]
                needed = _needed(work, last)
                if not all(other in ends for other in needed):
                    break
                start = max([own[-1].end if own else 0.0, *(ends[other] for other in needed)])
                ends[work] = start + (forward if work.kind == "F" else backward)
                own.append(Done(work, start, ends[work]))
                moved = True
    if any(len(own) < len(order) for order, own in zip(orders, done, strict=True)):
        raise ValueError("these orders never end: every process waits for work that comes later in another's order")
    return done


def _needed(work: Work, last: int) -> list[Work]:
    """Return what must be done before a piece of work."""
    if work.kind == "F":
        return [work._replace(part=work.part - 1)] if work.part else []
    behind = [work._replace(part=work.part + 1)] if work.part < last else []
    return [work._replace(kind="F"), *behind]


def bubble(done: Sequence[Sequence[Done]]) -> float:
    """Return the share of all processes' time in which they are idle."""
    whole = max(own[-1].end for own in done) * len(done)
    return 1 - sum(piece.end - piece.start for own in done for piece in own) / whole


def most_waiting(order: Order) -> int:
    """Return the largest number of forward passes of a process that wait for their backward passes at one time."""
    waiting, most = 0, 0
    for work in order:
        waiting += 1 if work.kind == "F" else -1
        most = max(most, waiting)
    return most
