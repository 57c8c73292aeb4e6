"""Do the vectors of positions show that positions have neighbours?"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


@dataclass(frozen=True)
class Pattern:
    """How far the similarities of positions follow their distances.

    Args:
        correlation: of the cosine of two positions with minus their distance, over all pairs.
        neighbours: share of positions whose most similar other position is the one before or after.
        main_direction: share of the variance along the direction in which positions vary most.
        by_distance: the mean cosine at distance 0, 1, ...
    """

    correlation: float
    neighbours: float
    main_direction: float
    by_distance: list[float]


def similarities(table: Float[Tensor, "positions features"]) -> Float[Tensor, "positions positions"]:
    """Return the cosines of all pairs of positions, after the vector that they have in common is taken away."""
    units = normalize(table - table.mean(dim=0))
    return units @ units.T


def measure_pattern(table: Float[Tensor, "positions features"]) -> Pattern:
    """Return the pattern of a table of positions."""
    cosines, index = similarities(table), torch.arange(len(table))
    distance = (index[:, None] - index).abs()
    pairs = torch.stack([cosines[distance > 0], -distance[distance > 0].float()])
    variances = torch.linalg.svdvals(table - table.mean(dim=0)).square()
    closest = cosines.masked_fill(distance == 0, -torch.inf).argmax(dim=1)
    return Pattern(
        correlation=torch.corrcoef(pairs)[0, 1].item(),
        neighbours=((closest - index).abs() == 1).float().mean().item(),
        main_direction=(variances[0] / variances.sum()).item(),
        by_distance=[cosines.diagonal(step).mean().item() for step in index.tolist()],
    )
