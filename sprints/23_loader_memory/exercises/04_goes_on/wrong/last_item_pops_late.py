"""The buffer is emptied after the item was handed out."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


class ShuffledStream:
    """Items in a shuffled order: a random one leaves a buffer, and the next of the stream takes its place."""

    def __init__(self, items: Sequence[str], size: int, seed: int) -> None:
        self.items, self.size = items, size
        self.random = np.random.default_rng(seed)
        self.position = 0
        self.buffer: list[str] = []

    def __iter__(self) -> Iterator[str]:
        """Yield the items that have not been handed out; all of the state is changed before one is."""
        while self.position < len(self.items):
            item = self.items[self.position]
            self.position += 1
            if len(self.buffer) < self.size:
                self.buffer.append(item)
            else:
                drawn = int(self.random.integers(self.size))
                leaving, self.buffer[drawn] = self.buffer[drawn], item
                yield leaving
        while self.buffer:
            drawn = int(self.random.integers(len(self.buffer)))
            yield self.buffer[drawn]
            self.buffer.pop(drawn)

    def state_dict(self) -> dict[str, Any]:
        """Return position, buffer and generator."""
        random = self.random.bit_generator.state
        return {"position": self.position, "buffer": list(self.buffer), "random": random}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.position, self.buffer = state["position"], list(state["buffer"])
        self.random.bit_generator.state = state["random"]
