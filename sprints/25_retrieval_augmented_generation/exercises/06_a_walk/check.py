"""Checks of `walk`: the twelve points of the note, a dead end, and which points are looked at."""

from typing import Any

import torch

from shared.lab.checking import expect

POINTS = torch.tensor(
    [[1, 1], [1, 3], [2, 2], [4, 2], [6, 3], [8, 2], [9, 4], [9, 3], [4, 8], [5, 7], [6, 8], [5, 9]],
    dtype=torch.float64,
)
NEIGHBOURS = [
    *([1, 2], [0, 2, 8], [0, 1, 3], [2, 4], [3, 5], [4, 7]),
    *([7, 10], [5, 6], [1, 9, 11], [8, 10, 11], [6, 9, 11], [8, 9, 10]),
]
QUERY = torch.tensor([4.0, 3.0], dtype=torch.float64)


def numbers_of(
    learner: Any, width: int, expected: list[int], causes: dict[str, list[int]], start: int = 11,
    query: torch.Tensor = QUERY,
) -> None:  # fmt: skip
    """Compare the numbers that a walk over the note's points finds."""

    def numbers(start: int, width: int) -> list[int]:
        return [number for _, number in learner.walk(POINTS, NEIGHBOURS, query, start, width)]

    expect(numbers, {"start": start, "width": width}, expected, causes)


def check_width_1_ends_in_a_dead_end(learner: Any) -> None:
    """No neighbour of point 9 is nearer, so a walk of width 1 ends there."""
    numbers_of(learner, 1, [9], {
        "These are all points: the walk went on from points that it should have forgotten.": [3],
        "The walk never left its start.": [11],
    })  # fmt: skip


def check_width_2_finds_the_way(learner: Any) -> None:
    """From point 8, which is farther away than 9, the way leads to 3 and 4."""
    numbers_of(learner, 2, [3, 4], {
        "A walk of width 2 goes on from the second nearest too, and so leaves the dead end at 9.": [9, 8],
        "The nearest come first.": [4, 3],
    })  # fmt: skip


def check_a_wide_walk_sees_all(learner: Any) -> None:
    """As wide as there are points, the walk is exact, wherever it begins."""
    query = torch.tensor([4.1, 3.2], dtype=torch.float64)  # no two points are equally far from it
    order = ((POINTS - query) ** 2).sum(dim=1).sort().indices.tolist()
    for start in (0, 6):
        numbers_of(learner, 12, order, {"Points that can be reached are missing.": order[:11]}, start, query)


def check_distances(learner: Any) -> None:
    """Squared distances come with the numbers."""

    def distances(width: int) -> list[float]:
        return [distance for distance, _ in learner.walk(POINTS, NEIGHBOURS, QUERY, 0, width)]

    expect(distances, {"width": 3}, [1.0, 4.0, 5.0], {
        "The distances are squared: no root is taken.": [1.0, 2.0, 5.0**0.5],
        "Distances are positive.": [-1.0, -4.0, -5.0],
        "The nearest come first.": [5.0, 4.0, 1.0],
    })  # fmt: skip


def check_what_cannot_be_reached(learner: Any) -> None:
    """Point 2 has no edge: fewer points are found than the width."""

    def numbers(width: int) -> list[int]:
        points = torch.tensor([[3.0], [1.0], [0.0]])
        return [number for _, number in learner.walk(points, [[1], [0], []], torch.tensor([0.0]), 0, width)]

    expect(numbers, {"width": 3}, [1, 0], {"Point 2 cannot be reached, and is returned.": [2, 1, 0]})


def check_the_nearest_is_gone_on_from_first(learner: Any) -> None:
    """Point 2 is forgotten before its turn comes, so nobody learns of point 5."""
    points = torch.tensor([[10.0], [5.0], [6.0], [4.0], [3.0], [1.0]])
    edges = [[2, 1], [0, 3, 4], [0, 5], [1], [1], [2]]

    def numbers(start: int, width: int) -> list[int]:
        return [number for _, number in learner.walk(points, edges, torch.tensor([0.0]), start, width)]

    expect(numbers, {"start": 0, "width": 2}, [4, 3], {
        "It went on from point 2: point 1 is nearer and comes first, and with its neighbours point 2 is forgotten.": [
            5, 4
        ],
    })  # fmt: skip


def check_a_narrow_walk_does_not_look_at_everything(learner: Any) -> None:
    """Forty points on a line, and the query is five from the start: the walk looks at the way, and no farther."""

    class Noted:
        def __init__(self, values: torch.Tensor) -> None:
            self.values, self.asked = values, []

        def __getitem__(self, number: Any) -> torch.Tensor:
            self.asked += torch.arange(len(self.values))[number].flatten().tolist()
            return self.values[number]

        def __sub__(self, other: Any) -> torch.Tensor:  # of all points at once
            return self[:] - other

        def __rsub__(self, other: Any) -> torch.Tensor:
            return other - self[:]

        def __len__(self) -> int:
            return len(self.values)

    line = torch.arange(40.0)[:, None]
    edges = [[place for place in (number - 1, number + 1) if 0 <= place < 40] for number in range(40)]

    def looked_at(start: int, width: int) -> list[int]:
        noted = Noted(line)
        learner.walk(noted, edges, torch.tensor([20.2]), start, width)  # 19 and 21 are not equally far
        return sorted({int(number) for number in noted.asked})

    expect(looked_at, {"start": 25, "width": 2}, list(range(19, 27)), {
        "The walk looked at all points. It must end when what waits is farther than the worst that it remembers, and "
        "compute a distance only when it looks at a point.": list(range(40)),
    })  # fmt: skip
