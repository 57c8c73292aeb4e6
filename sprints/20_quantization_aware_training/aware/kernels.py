"""Products with integers that PyTorch has for processors: the weight never becomes a matrix of floating-point numbers.

Of weights alone, `_weight_int8pack_mm` (a step for each row) and `_weight_int4pack_mm_for_cpu` (a step for a group of
32, 64, 128 or 256). Of weights and inputs, `_int_mm`, whose sums are exact integers.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from aware.converted import ConvertedLinear, StoredWeight
from aware.fake_quantize import SMALLEST_MEAN
from shared.nn.packed_weights import GroupedWeight

GROUPS = (256, 128, 64, 32)  # which the kernel of 4 bits takes
OUTPUTS = 16  # it wants outputs in sixteens


class Int8Kernel(ConvertedLinear):
    """Integers of up to 8 bits with one step for each row."""

    def __init__(self, stored: StoredWeight, bias: nn.Parameter | None, activation_bits: int | None = None) -> None:
        super().__init__(stored, bias, activation_bits)
        self.steps = stored.scales[:, 0].to(stored.dtype)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return the product with the weight."""
        y = torch.ops.aten._weight_int8pack_mm(x.flatten(0, -2).contiguous(), self.stored.integers, self.steps)
        return with_bias(y, self.bias, x)


class Int4Kernel(ConvertedLinear):
    """Integers of up to 4 bits, two in a byte, with a step for each group of a row; a row may be one group."""

    def __init__(self, stored: StoredWeight, bias: nn.Parameter | None, activation_bits: int | None = None) -> None:
        super().__init__(stored, bias, activation_bits)
        size = kernel_group(stored)
        if size is None:
            raise ValueError(f"the kernel of 4 bits wants groups of {GROUPS}; got {tuple(stored.scales.shape)}")
        self.group = size
        repeats = self.in_features // size // stored.scales.shape[1]
        scales = stored.scales.float().repeat_interleave(repeats, dim=1)  # (outputs, groups)
        missing = -self.out_features % OUTPUTS  # these outputs are cut off again
        integers, scales = (functional.pad(part, (0, 0, 0, missing)) for part in (stored.integers.int() + 8, scales))
        self.packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(integers, 1)
        pairs = torch.stack([scales.T, torch.zeros_like(scales.T)], dim=-1)  # (groups, outputs, 2)
        self.pairs = pairs.to(stored.dtype).contiguous()

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return the product with the weight."""
        flat = x.flatten(0, -2).contiguous()
        y = torch.ops.aten._weight_int4pack_mm_for_cpu(flat, self.packed, self.group, self.pairs)
        return with_bias(y[:, : self.out_features], self.bias, x)


class IntegerProduct(ConvertedLinear):
    """Integers times integers: inputs with a step for each token, weights with a step for each row."""

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return the product of the rounded inputs with the weight."""
        return integer_product(x, self.activation_bits or 8, self.stored.grouped, self.bias)


def integer_product(
    x: Float[Tensor, "... in_features"], bits: int, weight: GroupedWeight, bias: Tensor | None
) -> Float[Tensor, "... out_features"]:
    """Return (q_x q_W^T) s_x s_W + b, where sums of products are whole numbers and therefore exact, in any order.

    Args:
        x: is rounded to so many bits, each token with a step of its own.
        bits: of an input's integer, 2 to 8.
        weight: integers, and one step for each row.
        bias: of the layer.
    """
    integers, steps = integers_per_token(x.flatten(0, -2).float(), bits)
    sums = torch._int_mm(integers.to(torch.int8), weight.integers.T)  # (tokens, outputs), 32 bits
    return with_bias((sums.float() * steps * weight.scales[:, 0].float()).to(x.dtype), bias, x)


def integers_per_token(
    x: Float[Tensor, "tokens features"], bits: int
) -> tuple[Float[Tensor, "tokens features"], Float[Tensor, "tokens 1"]]:
    """Return the integers and the steps that make up `activations_per_token(x, bits)`."""
    highest = 2 ** (bits - 1) - 1
    steps = x.abs().amax(-1, keepdim=True).clamp(min=SMALLEST_MEAN) / highest
    return (x * (1 / steps)).round().clamp(-highest - 1, highest), steps


def with_bias(y: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
    """Return the outputs of all tokens with their bias, in the shape of the inputs."""
    return (y if bias is None else y + bias).unflatten(0, x.shape[:-1])


def kernel_group(stored: StoredWeight) -> int | None:
    """Return with which size of group the kernel of 4 bits can read a weight, or None."""
    group = stored.integers.shape[1] // stored.scales.shape[1]
    return next((size for size in GROUPS if group % size == 0), None)


def with_kernel(stored: StoredWeight, activation_bits: int | None) -> type[ConvertedLinear]:
    """Return the layer that multiplies a weight's integers, or the one that makes numbers of them if there is none."""
    one_group = stored.scales.shape[1] == 1
    if activation_bits is not None:
        return IntegerProduct if one_group else ConvertedLinear
    if stored.bits <= 4 and kernel_group(stored) is not None:
        return Int4Kernel
    return Int8Kernel if one_group else ConvertedLinear
