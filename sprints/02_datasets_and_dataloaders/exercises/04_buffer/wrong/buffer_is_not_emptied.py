"""What is in the buffer when the stream ends is lost."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    buffer: list[Any] = []
    for item in stream:
        if len(buffer) < size:
            buffer.append(item)
        else:
            place = int(torch.randint(size, (), generator=generator))
            yield buffer[place]
            buffer[place] = item
