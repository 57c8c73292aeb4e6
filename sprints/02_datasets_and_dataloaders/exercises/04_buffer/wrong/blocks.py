"""Blocks are shuffled one by one."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    block: list[Any] = []
    for item in stream:
        block.append(item)
        if len(block) == size:
            for place in torch.randperm(size, generator=generator).tolist():
                yield block[place]
            block = []
    for place in torch.randperm(len(block), generator=generator).tolist():
        yield block[place]
