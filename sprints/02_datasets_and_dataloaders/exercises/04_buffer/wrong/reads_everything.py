"""A perfect shuffle of a stream that must have an end."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    items = list(stream)
    for place in torch.randperm(len(items), generator=generator).tolist():
        yield items[place]
