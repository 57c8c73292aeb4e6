"""zip takes one item more from the stream than the range has."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    items = iter(stream)
    buffer = [item for item, _ in zip(items, range(size), strict=False)]
    for item in items:
        place = int(torch.randint(size, (), generator=generator))
        yield buffer[place]
        buffer[place] = item
    for place in torch.randperm(len(buffer), generator=generator).tolist():
        yield buffer[place]
