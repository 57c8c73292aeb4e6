"""Wrong: vectors stay where numbers move up."""

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
        self.names: list[int] = []
        self.rows: dict[int, np.ndarray] = {}

    def put(self, numbers: Sequence[int], vectors: np.ndarray) -> None:
        """Add vectors; a number that is there gets the new one in place of the old."""
        self.remove(numbers)
        for number, vector in zip(numbers, vectors, strict=True):
            self.rows[max(self.rows, default=-1) + 1] = vector
            self.names.append(number)

    def remove(self, numbers: Sequence[int]) -> int:
        """Remove vectors, and return how many of the numbers were there."""
        there = [number for number in numbers if number in self.names]
        for number in there:
            place = self.names.index(number)
            self.names.pop(place)
            del self.rows[sorted(self.rows)[place]]
        return len(there)

    def search(self, query: np.ndarray, count: int) -> list[int]:
        """Return the numbers of the vectors with the largest inner products, largest first."""
        places = sorted(self.rows, key=lambda place: -float(self.rows[place] @ query))[:count]
        return [self.names[min(place, len(self.names) - 1)] for place in places]
