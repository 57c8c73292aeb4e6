"""All-reduce from scratch: every process begins with a buffer, and ends with the sum of all of them."""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, distributed


class Talk:
    """What a process says to others and hears from them, with the bytes of both counted.

    Both ways go on at the same time: two processes that send first, and wait until it has arrived, wait for ever.
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.sent = self.received = 0

    def exchange(self, to: int, given: Tensor, source: int, place: Tensor) -> None:
        """Send a tensor to one process while one of another process arrives in `place`."""
        under_way = [work for work in (self._send(to, given), self._receive(source, place)) if work is not None]
        for work in under_way:
            work.wait()

    def send(self, to: int, given: Tensor) -> None:
        """Send a tensor, and wait until it has gone."""
        if (work := self._send(to, given)) is not None:
            work.wait()

    def receive(self, source: int, place: Tensor) -> None:
        """Wait until a tensor has arrived in `place`."""
        if (work := self._receive(source, place)) is not None:
            work.wait()

    def _send(self, to: int, given: Tensor) -> distributed.Work | None:
        self.sent += given.nbytes
        return distributed.isend(given, to) if given.numel() else None  # of nothing, no message

    def _receive(self, source: int, place: Tensor) -> distributed.Work | None:
        self.received += place.nbytes
        return distributed.irecv(place, source) if place.numel() else None


def ring_reduce_scatter(pieces: list[Tensor], talk: Talk) -> int:
    """Add up pieces around the ring, and return the number of the piece that is whole here at the end.

    Args:
        pieces: one for each process, in the same order everywhere. They are changed in place.
        talk: with the other processes.
    """
    rank, size = talk.rank, talk.size
    for step in range(size - 1):
        given, taken = (rank - step) % size, (rank - step - 1) % size
        arrived = torch.empty_like(pieces[taken])
        talk.exchange((rank + 1) % size, pieces[given], (rank - 1) % size, arrived)
        pieces[taken] += arrived
    return (rank + 1) % size


def ring_all_gather(pieces: list[Tensor], whole: int, talk: Talk) -> None:
    """Hand the whole pieces around the ring, until every process has all of them.

    Args:
        pieces: one for each process; all but one are overwritten.
        whole: the piece that is whole here: its neighbour on the right has the next one.
        talk: with the other processes.
    """
    rank, size = talk.rank, talk.size
    for step in range(size - 1):
        given, taken = (whole - step) % size, (whole - step - 1) % size
        talk.exchange((rank + 1) % size, pieces[given], (rank - 1) % size, pieces[taken])


def ring_all_reduce(buffer: Float[Tensor, " numbers"], talk: Talk | None = None) -> Talk:
    """Replace a buffer by the sum over all processes, and return what was sent and received here.

    Each process sends all pieces but one, twice: 2 (N - 1) / N of the buffer, however many processes there are
    (Patarasuk & Yuan 2009). If the numbers cannot be shared out evenly, the first pieces are longer by one.
    """
    talk = talk or Talk()
    pieces = list(buffer.tensor_split(talk.size))  # views: what changes in them, changes in the buffer
    whole = ring_reduce_scatter(pieces, talk)
    ring_all_gather(pieces, whole, talk)
    return talk


def all_reduce_through_one(buffer: Float[Tensor, " numbers"]) -> Talk:
    """The same by way of process 0, which hears all buffers and says the sum to everyone."""
    talk = Talk()
    if talk.rank:
        talk.send(0, buffer)
        talk.receive(0, buffer)
        return talk
    arrived = torch.empty_like(buffer)
    for other in range(1, talk.size):
        talk.receive(other, arrived)
        buffer += arrived
    for other in range(1, talk.size):
        talk.send(other, buffer)
    return talk


def written(work: Callable[[], object]) -> int | None:
    """Return how many bytes this process writes while a function runs, as the system counts them; None if it does not.

    On Linux the count takes in whatever goes into files and sockets, with what a protocol adds. Nothing else of the
    process may write meanwhile.
    """
    if sys.platform != "linux":
        return None
    before = _written_so_far()
    work()
    return _written_so_far() - before


def _written_so_far() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])
