"""A shuffle buffer for a stream.

Fill in `shuffled`. Then look how far you are, as often as you like:

    uv run sprints check 02.4
    uv run sprints hint 02.4

Note 7 works nine steps of it out in a drawing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch


def shuffled(stream: Iterable[Any], size: int, generator: torch.Generator) -> Iterator[Any]:
    """Yield the items of a stream in a random order, as far as a buffer of `size` items allows.

    The buffer is filled. Then a random item leaves it and the next one of the stream takes its place, until the stream
    ends; what is left in the buffer comes in a random order. The stream may be endless, and shorter than the buffer.
    """
    raise NotImplementedError
