"""Weights in four bits (QLoRA, Dettmers et al. 2023, section 3): NF4, blocks with a constant each, constants in 8 bits.

    code = nearest level of w / c        w' = level[code] c        c: the largest |w| of a block of 64

NF4 has its 16 levels where a Gaussian has its quantiles. `adaptation/qlora.py` puts LoRA beside such weights.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int8, Integer, UInt8
from torch import Tensor

# The probability of the last level: the mean of 1 - 1/32 and 1 - 1/30, half a step before the end of 16 and of 15.
LAST = (1 - 1 / 32 + 1 - 1 / 30) / 2
GROUP = 256  # constants of blocks that share a factor of their own


def normal_float_levels() -> Float[Tensor, " levels"]:
    """Return the 16 levels of NF4: quantiles of a Gaussian, 8 above 0, 7 below it and 0 itself, over the last one.

    The paper's appendix E prints them; that a weight of 0 stays 0 is why the two sides differ.
    """
    above = torch.linspace(0.5, LAST, 9, dtype=torch.double)[1:]  # probabilities; 0.5 would be the level 0
    below = torch.linspace(0.5, LAST, 8, dtype=torch.double)[1:]
    quantiles = torch.cat([-torch.special.ndtri(below).flip(0), torch.zeros(1), torch.special.ndtri(above)])
    return (quantiles / quantiles[-1]).float()


LEVELS: dict[str, Tensor] = {
    "nf4": normal_float_levels(),
    "int4": torch.arange(-8, 8) / 7.5,  # the symmetric grid of sprint 14: 16 integers in even steps
}


def nearest(x: Float[Tensor, "..."], levels: Float[Tensor, " levels"]) -> Integer[Tensor, "..."]:
    """Return the number of the nearest level; of two that are as near, the lower one."""
    middles = (levels[1:] + levels[:-1]) / 2
    return torch.bucketize(x.contiguous(), middles.to(x.device, x.dtype))


def pack(codes: Integer[Tensor, " numbers"]) -> UInt8[Tensor, " bytes"]:
    """Return two codes from 0 to 15 to a byte, the first one in its upper half."""
    return (codes[::2] * 16 + codes[1::2]).to(torch.uint8)


def unpack(packed: UInt8[Tensor, " bytes"]) -> Integer[Tensor, " numbers"]:
    """Return the codes of bytes in order."""
    return torch.stack([packed >> 4, packed & 15], dim=1).flatten().int()


@dataclass(frozen=True)
class Constants:
    """The constants of blocks in 8 bits: integers around their mean, a factor for each group of 256 of them."""

    integers: Int8[Tensor, " blocks"]
    steps: Float[Tensor, " groups"]
    mean: Float[Tensor, ""]

    def numbers(self) -> Float[Tensor, " blocks"]:
        """Return the constants that the integers stand for."""
        steps = self.steps.repeat_interleave(GROUP)[: len(self.integers)]
        return self.integers * steps + self.mean


def round_constants(constants: Float[Tensor, " blocks"]) -> Constants:
    """Return constants in 8 bits: they are all positive, so their mean goes first (section 3, double quantization).

    The paper has 8-bit floating-point numbers where this, like torchao, has integers.
    """
    mean = constants.mean()
    missing = -len(constants) % GROUP
    groups = torch.nn.functional.pad(constants - mean, (0, missing)).unflatten(0, (-1, GROUP))
    steps = groups.abs().amax(dim=1).clamp(min=torch.finfo(constants.dtype).tiny) / 128
    integers = (groups / steps[:, None]).round().clamp(-128, 127).to(torch.int8)
    return Constants(integers.flatten()[: len(constants)], steps, mean)


@dataclass(frozen=True)
class FourBitTensor:
    """A matrix in four bits a number and a constant a block, in the order in which its numbers lie in memory.

    Attributes:
        packed: two numbers a byte.
        constants: one for each block, in 8 bits or as they are.
        shape: of the matrix.
        block: numbers that share a constant.
        levels: what the codes stand for.
    """

    packed: UInt8[Tensor, " bytes"]
    constants: Constants | Tensor
    shape: tuple[int, ...]
    block: int
    levels: Float[Tensor, " levels"]

    def numbers(self) -> Float[Tensor, "rows columns"]:
        """Return the matrix that the codes stand for."""
        constants = self.constants.numbers() if isinstance(self.constants, Constants) else self.constants
        units = self.levels[unpack(self.packed)].unflatten(0, (-1, self.block))  # (blocks, block)
        return (units * constants[:, None]).view(self.shape)

    def tensors(self) -> dict[str, Tensor]:
        """Return all that is kept, by name; the levels are the same for all matrices, and not counted."""
        if isinstance(self.constants, Constants):
            return {"packed": self.packed, **vars(self.constants)}
        return {"packed": self.packed, "constants": self.constants}

    @property
    def bytes(self) -> int:
        """Return how many bytes are kept."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors().values())


def to_four_bits(
    weight: Float[Tensor, "rows columns"],
    block: int = 64,
    double: bool = True,
    levels: Float[Tensor, " levels"] | None = None,
) -> FourBitTensor:
    """Return a matrix in four bits.

    Args:
        weight: the matrix.
        block: neighbours in memory that share a constant, the largest absolute value among them.
        double: round the constants as well.
        levels: from -1 to 1 in order, 16 at most (default: those of NF4).

    Raises:
        ValueError: blocks that do not fit, levels out of order, or a number that is not finite.
    """
    levels = LEVELS["nf4"] if levels is None else levels
    if block < 2 or block % 2 or weight.numel() % block:
        raise ValueError(
            f"blocks must be even, for two numbers share a byte, and fill the matrix; got blocks of {block} for "
            f"{weight.numel():,} numbers: take a divisor, 64 for example"
        )
    if not 2 <= len(levels) <= 16 or not bool((levels.diff() > 0).all()):
        raise ValueError(f"four bits have 2 to 16 levels in rising order; got {len(levels)}: sort them, drop doubles")
    if not bool(weight.isfinite().all()):
        raise ValueError("a matrix with a number that is not finite has no largest one: look where it comes from")
    blocks = weight.detach().contiguous().view(-1, block)
    constants = blocks.abs().amax(dim=1)
    units = blocks / constants.where(constants > 0, 1.0)[:, None]  # a block of zeros is divided by 1
    levels = levels.to(weight.device, weight.dtype)
    kept = round_constants(constants) if double else constants
    return FourBitTensor(pack(nearest(units, levels).flatten()), kept, tuple(weight.shape), block, levels)


def bits_per_number(block: int = 64, double: bool = True) -> float:
    """Return 4 + 32 / block, or with double quantization 4 + 8 / block + 32 / (256 block)."""
    return 4 + (8 / block + 32 / (GROUP * block) if double else 32 / block)
