"""A ball grows against the direction of needing, and a number stands beside its vector, wherever that moves."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np


def ball(changed: Iterable[str], needs: Mapping[str, Sequence[str]], layers: int) -> dict[str, int]:
    """Return who gets another vector when some nodes say something else, and how many links away each is."""
    reached = dict.fromkeys(changed, 0)
    for distance in range(1, layers + 1):
        hear = [node for node, others in needs.items() if any(reached.get(other) == distance - 1 for other in others)]
        reached |= {node: distance for node in hear if node not in reached}
    return reached


def follow(
    states: list[dict[str, float]], needs: Mapping[str, Sequence[str]], changed: str, says: float
) -> tuple[list[dict[str, float]], int]:
    """Return the states after a node says something else, and how many of them were computed for that."""
    after = [dict(layer) for layer in states]
    after[0][changed] = says
    computed, reached = 1, ball([changed], needs, len(states) - 1)
    for layer in range(1, len(states)):
        for node in [node for node, distance in reached.items() if distance <= layer]:
            heard = [after[layer - 1][other] for other in needs.get(node, ())]
            after[layer][node] = after[layer - 1][node] + (sum(heard) / len(heard) if heard else 0.0)
            computed += 1
    return after, computed


class Index:
    """Vectors under numbers of their owner, which can be replaced and removed."""

    def __init__(self) -> None:
        self.vectors: dict[int, np.ndarray] = {}

    def put(self, numbers: Sequence[int], vectors: np.ndarray) -> None:
        """Add vectors; a number that is there gets the new one in place of the old."""
        self.vectors |= {number: vector.copy() for number, vector in zip(numbers, vectors, strict=True)}

    def remove(self, numbers: Sequence[int]) -> int:
        """Remove vectors, and return how many of the numbers were there."""
        return sum(self.vectors.pop(number, None) is not None for number in numbers)

    def search(self, query: np.ndarray, count: int) -> list[int]:
        """Return the numbers of the vectors with the largest inner products, largest first."""
        return sorted(self.vectors, key=lambda number: -float(self.vectors[number] @ query))[:count]
