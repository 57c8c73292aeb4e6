"""The item that comes takes the place of the one that leaves."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    """Yield the items of a stream in a random order, as far as a buffer of `size` items allows."""
    buffer: list[Any] = []
    for item in stream:
        if len(buffer) < size:
            buffer.append(item)
        else:
            place = int(torch.randint(size, (), generator=generator))
            yield buffer[place]
            buffer[place] = item
    for place in torch.randperm(len(buffer), generator=generator).tolist():
        yield buffer[place]
