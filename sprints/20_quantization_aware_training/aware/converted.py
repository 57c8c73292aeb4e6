"""What training leaves behind: integers and steps. These layers compute with them and have no weights to learn.

The dequantizing path makes numbers of the integers, q s, and multiplies as the prepared layer did: the same products of
the same numbers, bit for bit. `kernels.py` multiplies the integers where PyTorch can.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from aware.fake_quantize import activations_per_token
from shared.nn.packed_weights import GroupedWeight


class StoredWeight(nn.Module):
    """A weight as integers and steps, which several layers may share: an output layer that is the token embedding.

    Args:
        grouped: the integers (outputs, inputs) in 8 bits, and their steps (outputs, groups) in float16.
        bits: that an integer needs.
        dtype: of the numbers that it becomes.
    """

    integers: Tensor
    scales: Tensor

    def __init__(self, grouped: GroupedWeight, bits: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.bits, self.dtype = bits, dtype
        self.register_buffer("integers", grouped.integers)
        self.register_buffer("scales", grouped.scales)

    @property
    def grouped(self) -> GroupedWeight:
        """Return integers and steps as they are written into a file."""
        return GroupedWeight(self.integers, self.scales)

    def to_float(self) -> Float[Tensor, "outputs inputs"]:
        """Return the numbers that they stand for."""
        return self.grouped.to_float().to(self.dtype)


class ConvertedLinear(nn.Module):
    """A linear layer that makes numbers of its integers each time.

    Args:
        stored: the weight.
        bias: of the layer that was prepared.
        activation_bits: as it was prepared with.
    """

    def __init__(self, stored: StoredWeight, bias: nn.Parameter | None, activation_bits: int | None = None) -> None:
        super().__init__()
        self.stored, self.bias, self.activation_bits = stored, bias, activation_bits
        self.out_features, self.in_features = stored.integers.shape

    @property
    def weight(self) -> Float[Tensor, "outputs inputs"]:
        """Return the weight as numbers: who asks a layer for its type or its device finds both."""
        return self.stored.to_float()

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return the product with the weight."""
        if self.activation_bits is not None:
            x = activations_per_token(x, self.activation_bits)
        return functional.linear(x, self.weight, self.bias)


class ConvertedEmbedding(nn.Module):
    """A table of integers: only the rows that are looked up become numbers.

    Args:
        stored: the table.
    """

    def __init__(self, stored: StoredWeight) -> None:
        super().__init__()
        self.stored = stored
        self.num_embeddings, self.embedding_dim = stored.integers.shape

    @property
    def weight(self) -> Float[Tensor, "rows features"]:
        """Return the table as numbers."""
        return self.stored.to_float()

    def forward(self, tokens: Int[Tensor, "..."]) -> Float[Tensor, "... features"]:
        """Return the row of each token."""
        wanted = tokens.flatten()
        rows = GroupedWeight(self.stored.integers[wanted], self.stored.scales[wanted])
        return rows.to_float().to(self.stored.dtype).unflatten(0, tokens.shape)
