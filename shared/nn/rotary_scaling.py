"""Rotary positions beyond the trained length: the planes turn more slowly (`Llama3Scaling` stands in `rotary.py`).

A model that was trained on `context` tokens has seen, in its slow planes, only a part of a turn; further angles are new
to it. Every scaling maps the speeds of the planes to smaller ones:

- `LinearScaling` slows all planes down alike (Chen et al. 2023, position interpolation)
- `BaseScaling` slows plane i of n by stretch^(i / (n - 1)): what a larger theta does (bloc97 2023, "NTK-aware")
- `DynamicScaling` chooses that stretch by the length of the text (emozilla 2023)
- `YarnScaling` leaves the fast planes alone, slows the slow ones, and sharpens attention a little (Peng et al. 2023)

They equal `ROPE_INIT_FUNCTIONS` of transformers.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.nn.rotary import Llama3Scaling

Speeds = Float[Tensor, " planes"]


def rotary_speeds(head_dim: int, theta: int | float = 10_000.0) -> Speeds:
    """Return how far each plane turns from one position to the next, in radians: theta^(-2i / head_dim).

    Raises:
        ValueError: fewer than two planes, or a feature without a partner.
    """
    if head_dim % 2 or head_dim < 4:
        raise ValueError(f"planes of two speeds take an even head_dim of 4 or more; got {head_dim}")
    return torch.exp(-math.log(theta) * torch.arange(head_dim // 2) / (head_dim // 2))


def check_factor(name: str, factor: int | float, context: int = 1) -> None:
    """Check by how much positions are stretched.

    Raises:
        ValueError: a factor below 1, or a context of no tokens.
    """
    if not (factor >= 1 and context > 0):
        raise ValueError(
            f"the {name} of a scaling is 1 or more, for a context of at least 1; got {factor} and {context}"
        )


@dataclass(frozen=True)
class LinearScaling:
    """Every plane turns `factor` times more slowly, as if positions were divided by it."""

    factor: int | float

    def __post_init__(self) -> None:
        check_factor("factor", self.factor)

    def slow_down(self, speeds: Speeds) -> Speeds:
        """Return the speeds after the change."""
        return speeds / self.factor


@dataclass(frozen=True)
class BaseScaling:
    """Plane i of n turns stretch^(i / (n - 1)) times more slowly: the first as before, the last by all of `stretch`.

    It is rotary positions of the base theta * stretch^(head_dim / (head_dim - 2)).
    """

    stretch: int | float

    def __post_init__(self) -> None:
        check_factor("stretch", self.stretch)

    def slow_down(self, speeds: Speeds) -> Speeds:
        """Return the speeds after the change."""
        planes = len(speeds)
        return speeds * self.stretch ** (-torch.arange(planes, device=speeds.device) / (planes - 1))


@dataclass(frozen=True)
class DynamicScaling:
    """A `BaseScaling` that grows with the text: by 1 + factor * (T / context - 1) at T tokens, and by 1 at least.

    Args:
        context: the tokens that the model was trained on.
        factor: 1 stretches by T / context, more by more.

    Raises:
        ValueError: a factor below 1, or no context.
    """

    context: int
    factor: int | float = 1.0

    def __post_init__(self) -> None:
        check_factor("factor", self.factor, self.context)

    def at(self, tokens: int) -> BaseScaling:
        """Return the scaling for a text of so many tokens: keys that were turned for a shorter one do not fit it."""
        return BaseScaling(self.factor * max(tokens, self.context) / self.context - (self.factor - 1))


@dataclass(frozen=True)
class YarnScaling:
    """Planes that turn often within `context` stay, those that do not turn once are slowed by `factor` (section 3.2).

    Between the plane that turns `fast` times and the one that turns `slow` times the share of slowing rises linearly
    with the number of the plane, as in the authors' code. Besides, queries and keys get longer by `attention_factor`,
    so scores grow by its square (section 3.4).

    Args:
        factor: by how much the slow planes are slowed down.
        context: the tokens that the model was trained on.
        fast, slow: turns within the context, see above.
        truncate: move both ends outward to whole planes.

    Raises:
        ValueError: a factor below 1, no context, or not 0 < slow < fast.
    """

    factor: int | float
    context: int
    fast: int | float = 32.0
    slow: int | float = 1.0
    truncate: bool = True

    def __post_init__(self) -> None:
        check_factor("factor", self.factor, self.context)
        if not 0 < self.slow < self.fast:
            raise ValueError(f"slow planes turn less often than fast ones: 0 < slow < fast; got {self}")

    @property
    def attention_factor(self) -> float:
        """0.1 ln(factor) + 1: by how much queries, and keys, get longer."""
        return 0.1 * math.log(self.factor) + 1

    def slowed(self, speeds: Speeds) -> Speeds:
        """Return the share of slowing of each plane, from 0 (as before) to 1 (by all of `factor`)."""
        planes = len(speeds)
        step = math.log(speeds[0] / speeds[-1]) / (planes - 1)
        # The plane, counted from 0 and with a fraction, that turns so often within the context.
        first, last = (math.log(self.context / (2 * math.pi * turns)) / step for turns in (self.fast, self.slow))
        if self.truncate:
            first, last = math.floor(first), math.ceil(last)
        first, last = max(first, 0), min(last, 2 * planes - 1)
        # 0.001, as in the authors' code: no division by 0.
        width = last - first if last != first else 0.001
        return ((torch.arange(planes, device=speeds.device) - first) / width).clamp(0, 1)

    def slow_down(self, speeds: Speeds) -> Speeds:
        """Return the speeds after the change."""
        slowed = self.slowed(speeds)
        return slowed * speeds / self.factor + (1 - slowed) * speeds


RotaryScaling = LinearScaling | BaseScaling | YarnScaling | Llama3Scaling


def rotate_scaled(
    x: Float[Tensor, "*rows tokens head_dim"],
    positions: Int[Tensor, "*#rows tokens"],
    theta: int | float = 10_000.0,
    scaling: RotaryScaling | None = None,
) -> Float[Tensor, "*rows tokens head_dim"]:
    """Return what `shared.nn.rotary.rotate_halves` returns, for any scaling.

    Two features are a complex number; a turn by an angle is a product with e^(i angle), and YaRN's is a little longer.
    """
    speeds = rotary_speeds(x.shape[-1], theta).to(x.device)
    angles = positions[..., None] * (speeds if scaling is None else scaling.slow_down(speeds))
    length = scaling.attention_factor if isinstance(scaling, YarnScaling) else 1.0
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.complex(first, second) * torch.polar(torch.full_like(angles, length), angles)
    return torch.cat([turned.real, turned.imag], dim=-1).to(x.dtype)
