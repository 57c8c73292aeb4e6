"""Checks of turned pairs: by complex numbers, by name of the mistake, and by what it is good for."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

QUARTER = math.pi / 2


def by_complex_numbers(x: Tensor, angles: Tensor) -> Tensor:
    """Return (a + ib) e^(i angle) for neighbouring features a and b."""
    numbers = torch.view_as_complex(x.double().unflatten(1, (-1, 2)))
    turned = numbers * torch.polar(torch.ones_like(angles, dtype=torch.float64), angles.double())
    return torch.view_as_real(turned).flatten(1).float()


def compare(learner: Any, x: Tensor, positions: Tensor, speeds: Tensor) -> None:
    angles = positions[:, None] * speeds
    expected = by_complex_numbers(x, angles)
    halves = x.unflatten(1, (2, -1)).transpose(1, 2).flatten(1)  # feature i beside i + half
    by_halves = by_complex_numbers(halves, angles).unflatten(1, (-1, 2)).transpose(1, 2).flatten(1)
    pairs = by_complex_numbers(x, angles).unflatten(1, (-1, 2))
    first, second = x[:, 0::2], x[:, 1::2]
    cosine, sine = angles.cos(), angles.sin()
    early = first * cosine - second * sine
    mistakes = {
        "It turns clockwise: a cos - b sin, a sin + b cos.": by_complex_numbers(x, -angles),
        "Feature i is paired with i + features / 2. Here neighbours are a pair: 0 and 1, 2 and 3.": by_halves,
        "All first features stand before all second ones. Put the two of a pair side by side again.": (
            pairs.transpose(1, 2).flatten(1)
        ),
        "All pairs turn at the speed of the first one.": by_complex_numbers(x, angles[:, :1].expand_as(angles)),
        "The positions are not used: every row turns by the same angles.": by_complex_numbers(
            x, speeds.expand_as(angles)
        ),
        "The second feature is made of the turned first one. Use the old one: compute both before you write.": (
            torch.stack([early, early * sine + second * cosine], dim=-1).flatten(1)
        ),
        "The angles are taken as degrees. Speeds are in radians, as `sin` and `cos` want them.": by_complex_numbers(
            x, angles.deg2rad()
        ),
        "Both signs are plus: that is no turn, lengths change.": torch.stack(
            [first * cosine + second * sine, first * sine + second * cosine], dim=-1
        ).flatten(1),
    }
    expect(learner.turn, {"x": x, "positions": positions, "speeds": speeds}, expected, mistakes)


def check_a_query_by_hand(learner: Any) -> None:
    """(2, 0) at position 3 with 30 degrees per position: (0, 2)."""
    compare(learner, torch.tensor([[2.0, 0]]), torch.tensor([3]), torch.tensor([QUARTER / 3]))


def check_a_key_by_hand(learner: Any) -> None:
    """(1, 1) at position 1 with 30 degrees per position: (0.366, 1.366)."""
    compare(learner, torch.tensor([[1.0, 1]]), torch.tensor([1]), torch.tensor([QUARTER / 3]))


def check_two_pairs(learner: Any) -> None:
    """Four features; the second pair turns more slowly."""
    compare(learner, torch.tensor([[1.0, 0, 0, 3]]), torch.tensor([2]), torch.tensor([QUARTER / 2, QUARTER / 6]))


def check_several_rows(learner: Any) -> None:
    """Each row turns by its own position, in any order."""
    x = torch.tensor([[1.0, 2, 0, 1], [1, 2, 0, 1], [0, 1, -1, 2]])
    compare(learner, x, torch.tensor([0, 5, 2]), torch.tensor([1.0, 0.1]))


def check_that_distance_alone_counts(learner: Any) -> None:
    """A query at m and a key at m - 3 have the same dot product for every m."""
    query, key = torch.tensor([1.0, 2, 0.5, -1]), torch.tensor([0.5, -1, 2, 1])
    speeds = torch.tensor([1.0, 0.1])

    def scores(places: Tensor) -> Tensor:
        queries = learner.turn(query.expand(len(places), 4), places, speeds)
        keys = learner.turn(key.expand(len(places), 4), places - 3, speeds)
        return (queries * keys).sum(dim=1)

    places = torch.tensor([3, 4, 10, 60])
    turned = by_complex_numbers(query[None], 3 * speeds[None])[0] @ key
    expect(scores, {"places of the query": places}, turned.expand(4))


def check_that_lengths_stay(learner: Any) -> None:
    """Turning changes no length."""
    x = torch.tensor([[3.0, 4, 0, 0], [1, 1, 1, 1]])
    speeds = torch.tensor([0.7, 0.2])
    expect(lambda x: learner.turn(x, torch.tensor([5, 9]), speeds).norm(dim=1), {"x": x}, torch.tensor([5.0, 2.0]))
