"""Positions: the formula of the paper, and its property of rotation."""

import math

import pytest
import torch

from shared.nn.positions import LearnedPositions, SinusoidalPositions, sinusoidal_positions


def test_entries_are_those_of_the_paper():
    encoding = sinusoidal_positions(50, 16)
    for position, pair in [(0, 0), (1, 0), (7, 3), (49, 1), (49, 7)]:
        angle = position / 10_000 ** (2 * pair / 16)
        assert encoding[position, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-5)
        assert encoding[position, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_similarity_depends_on_distance_alone():
    encoding = sinusoidal_positions(40, 32)
    products = encoding @ encoding.T
    for distance in (0, 1, 5):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=0)


def test_modules_look_positions_up():
    fixed, learned = SinusoidalPositions(20, 8), LearnedPositions(20, 8)
    positions = torch.tensor([[3, 4], [0, 19]])
    assert torch.equal(fixed(positions), sinusoidal_positions(20, 8)[positions])
    assert torch.equal(learned(positions), learned.weight[positions])
    assert not list(fixed.parameters())
    assert not fixed.state_dict()


def test_odd_features_are_refused():
    with pytest.raises(ValueError, match="even, got 7"):
        sinusoidal_positions(3, 7)
