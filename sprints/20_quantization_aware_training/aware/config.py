"""How a model is rounded while it learns."""

from dataclasses import dataclass

from aware.fake_quantize import Bits
from shared.nn.integer_grid import Granularity


@dataclass(frozen=True)
class AwareConfig:
    """How a model's weights are rounded while it learns.

    Args:
        bits: of an integer, 2 to 8, or "ternary": -1, 0 and 1.
        per: which weights share a step: all of a "tensor", a "channel" (the row of an output), or a "group" of a row.
        group: weights of a group.
        activation_bits: round what comes into a linear layer as well, each token with a step of its own.
        learned: steps are parameters that start where the squared error is least; else they follow from the weights.
        embeddings: prepare the token embedding.
        head: prepare the output layer; one that is the token embedding goes with it.

    Raises:
        ValueError: bits that no grid has, an unknown sharing, or a group below 1.
    """

    bits: Bits = 4
    per: Granularity = "group"
    group: int = 64
    activation_bits: int | None = None
    learned: bool = True
    embeddings: bool = True
    head: bool = True

    def __post_init__(self) -> None:
        for name, bits in (("bits", self.bits), ("activation_bits", self.activation_bits)):
            if bits not in ("ternary", None) and not 2 <= int(bits) <= 8:
                raise ValueError(
                    f"{name} must be 2 to 8: with 1 bit a symmetric grid has no points but -1 and 0; got {bits}. "
                    "'ternary' is the fewest"
                )
        if self.per not in ("tensor", "channel", "group") or self.group < 1:
            raise ValueError(
                f"weights share a step per tensor, channel or group of at least 1; got {self.per!r} and {self.group}"
            )
