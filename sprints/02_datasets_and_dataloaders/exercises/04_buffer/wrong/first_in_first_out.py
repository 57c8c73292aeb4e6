"""The oldest item leaves: a queue, not a shuffle."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    buffer: list[Any] = []
    for item in stream:
        if len(buffer) == size:
            yield buffer.pop(0)
        buffer.append(item)
    for place in torch.randperm(len(buffer), generator=generator).tolist():
        yield buffer[place]
