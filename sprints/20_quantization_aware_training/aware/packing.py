"""Integers of 2 bits and ternary ones in bytes; those of 4 and 8 bits are packed by `shared/nn/packed_weights.py`.

    2 bits:   four to a byte,  q + 2 in the digits of base 4
    ternary:  five to a byte,  q + 1 in the digits of base 3, for 3^5 = 243 numbers fit into one

The first integer is the lowest digit. Five ternary weights in a byte are 1.6 bits a weight. If the three values are
equally frequent, no code takes fewer than log2 3 = 1.585 on average.
"""

import torch
from jaxtyping import Int8, UInt8
from torch import Tensor

BASES = {2: 4, "ternary": 3}
DIGITS = {4: 4, 3: 5}  # how many a byte holds


def pack_digits(integers: Int8[Tensor, "..."], bits: int | str) -> UInt8[Tensor, "bytes"]:
    """Return integers as bytes, in the order in which they lie; the last byte is filled up.

    Raises:
        ValueError: other bits, or an integer that does not fit.
    """
    base = base_of(bits)
    lowest = -(base // 2)
    digits = integers.flatten().short() - lowest
    if digits.numel() and not 0 <= int(digits.min()) <= int(digits.max()) < base:
        raise ValueError(
            f"{bits} holds {lowest} to {lowest + base - 1}; got {int(integers.min())} to {int(integers.max())}"
        )
    missing = -digits.numel() % DIGITS[base]
    places = torch.nn.functional.pad(digits, (0, missing)).unflatten(0, (-1, DIGITS[base]))  # (bytes, digits)
    weights = base ** torch.arange(DIGITS[base])
    return (places * weights).sum(1).to(torch.uint8)


def unpack_digits(packed: UInt8[Tensor, "bytes"], count: int, bits: int | str) -> Int8[Tensor, "integers"]:
    """Return the first `count` integers that `pack_digits` packed."""
    base = base_of(bits)
    digits = packed[:, None].int() // base ** torch.arange(DIGITS[base]) % base
    return (digits.flatten()[:count] - base // 2).to(torch.int8)


def base_of(bits: int | str) -> int:
    """Return how many values an integer has.

    Raises:
        ValueError: bits that are packed in another way.
    """
    if bits not in BASES:
        raise ValueError(f"2 bits and 'ternary' are packed here, 4 and 8 bits by pack; got {bits!r}")
    return BASES[bits]
