"""Python's global generator draws."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    buffer: list[Any] = []
    for item in stream:
        if len(buffer) < size:
            buffer.append(item)
        else:
            place = random.randrange(size)
            yield buffer[place]
            buffer[place] = item
    random.shuffle(buffer)
    yield from buffer
