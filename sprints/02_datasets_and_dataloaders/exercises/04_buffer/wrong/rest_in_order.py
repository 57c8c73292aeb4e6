"""The rest comes in the order in which it lies there."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    buffer: list[Any] = []
    for item in stream:
        if len(buffer) == size:
            yield buffer.pop(int(torch.randint(size, (), generator=generator)))
        buffer.append(item)
    yield from buffer
