"""Rotary positions (Su et al. 2021, RoFormer): queries and keys are turned by angles that grow with their position.

Two features make a plane. Plane i of head_dim / 2 turns by position * theta^(-2i / head_dim), so that the product of a
query and a key depends on their distance alone. Which two features? There are two answers, and a model that was
trained with one is broken by the other, without an error:

- `rotate_interleaved`: (x[0], x[1]), (x[2], x[3]), ...; RoFormer, GPT-J, and Llama as Meta published it
- `rotate_halves`: (x[i], x[i + head_dim / 2]); GPT-NeoX, and Llama, Mistral and Qwen in transformers

They differ by the order of the features: conversions from Meta's Llama reorder the rows of the query and key weights.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Llama3Scaling:
    """How Llama 3.1 and 3.2 turn more slowly, to look further back than they were first trained to.

    A plane whose turn takes more than `context / low` positions turns `factor` times more slowly; one whose turn takes
    fewer than `context / high` is left as it was; in between the speed goes from the one to the other (Meta's published
    code of Llama 3.1, 2024).

    Args:
        factor: by how much the slow planes are slowed down.
        low: see above (1 in Llama 3).
        high: see above (4 in Llama 3).
        context: the tokens that the model was first trained to see.

    Raises:
        ValueError: a factor below 1, or numbers that are not 0 < low < high with a positive context.
    """

    factor: int | float
    low: int | float = 1.0
    high: int | float = 4.0
    context: int = 8192

    def __post_init__(self) -> None:
        if not (self.factor >= 1 and 0 < self.low < self.high and self.context > 0):
            raise ValueError(f"a factor of at least 1, 0 < low < high and a positive context are needed; got {self}")

    def slow_down(self, frequencies: Float[Tensor, " planes"]) -> Float[Tensor, " planes"]:
        """Return the speeds of the planes, in radians a position, after the change."""
        turns = self.context * frequencies / (2 * math.pi)  # of each plane in the first context
        kept = ((turns - self.low) / (self.high - self.low)).clamp(0, 1)
        return kept * frequencies + (1 - kept) * frequencies / self.factor


def rotate_interleaved(
    x: Float[Tensor, "*rows tokens head_dim"],
    positions: Int[Tensor, "*#rows tokens"],
    theta: float = 10_000.0,
    scaling: Llama3Scaling | None = None,
) -> Float[Tensor, "*rows tokens head_dim"]:
    """Return vectors whose neighbouring features are turned by their positions.

    Args:
        x: queries or keys.
        positions: of each token.
        theta: the slowest plane needs about 2 pi theta positions for a whole turn.
        scaling: changes the speeds of the planes.

    Raises:
        ValueError: the number of features is odd.
    """
    turned = _turn(x[..., 0::2], x[..., 1::2], _angles(x, positions, theta, scaling))
    return torch.stack(turned, dim=-1).flatten(-2).to(x.dtype)


def rotate_halves(
    x: Float[Tensor, "*rows tokens head_dim"],
    positions: Int[Tensor, "*#rows tokens"],
    theta: float = 10_000.0,
    scaling: Llama3Scaling | None = None,
) -> Float[Tensor, "*rows tokens head_dim"]:
    """Return vectors in which feature i of the first half turns with feature i of the second.

    Arguments and errors as those of `rotate_interleaved`.
    """
    angles = _angles(x, positions, theta, scaling)
    first, second = x.chunk(2, dim=-1)
    return torch.cat(_turn(first, second, angles), dim=-1).to(x.dtype)


def _angles(
    x: Tensor, positions: Tensor, theta: float, scaling: Llama3Scaling | None
) -> Float[Tensor, "*rows tokens planes"]:
    features = x.shape[-1]
    if features % 2:
        raise ValueError(f"rotary positions turn pairs; the number of features must be even, got {features}")
    planes = features // 2
    frequencies = torch.exp(-math.log(theta) * torch.arange(planes, device=x.device) / planes)
    return positions[..., None] * (frequencies if scaling is None else scaling.slow_down(frequencies))


def _turn(first: Tensor, second: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """Return both features of each plane: (first + i second) e^(i angle)."""
    cosine, sine = angles.cos(), angles.sin()
    return first * cosine - second * sine, second * cosine + first * sine
