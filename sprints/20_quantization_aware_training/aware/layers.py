"""Layers that learn with their rounded weights, and what becomes of them when training is over.

    prepared:   y = Q(x) Q(W)^T + b,    W real, learnt;  Q rounds and lets gradients through
    converted:  y = Q(x) (q s)^T + b,   q integers of 8 bits, s their steps;  nothing left to learn

The prepared layer keeps the very parameters of the layer that it takes the place of, in their own layout: who trained
them before still trains them.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from aware.converted import StoredWeight
from aware.fake_quantize import WeightQuantizer, activations_per_token
from aware.kernels import integer_product
from shared.nn.packed_weights import GroupedWeight


class AwareLinear(nn.Module):
    """A linear layer that computes with its weight rounded (Jacob et al. 2018, section 3).

    Args:
        base: an `nn.Linear`, or a Conv1D of transformers, whose weight is (inputs, outputs).
        quantizer: rounds a weight (outputs, inputs); layers that share a weight share it too.
        activation_bits: round what comes in as well, each token with a step of its own (default: leave it).
    """

    weight: nn.Parameter
    bias: nn.Parameter | None
    integer_sums = True  # add up integers, as the kernel does, where inputs are rounded and a row has one step

    def __init__(self, base: nn.Module, quantizer: WeightQuantizer, activation_bits: int | None = None) -> None:
        super().__init__()
        self.register_parameter("weight", base.get_parameter("weight"))
        self.register_parameter("bias", dict(base.named_parameters()).get("bias"))
        self.quantizer, self.activation_bits = quantizer, activation_bits
        self.transposed = not isinstance(base, nn.Linear)
        self.out_features, self.in_features = as_rows(self).shape

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return the product with the rounded weight."""
        if self.activation_bits is None:
            return functional.linear(x, self.quantizer(as_rows(self)), self.bias)
        y = functional.linear(activations_per_token(x, self.activation_bits), self.quantizer(as_rows(self)), self.bias)
        if self.quantizer.per == "group" or not self.integer_sums:
            return y
        # The next layer rounds what comes out of this one, and a last digit may decide to which integer. So the sums
        # are those of the kernel; the gradient is that of y.
        with torch.no_grad():
            exact = integer_product(x, self.activation_bits, stored_weight(self).grouped, self.bias)
        return exact + (y - y.detach())


class AwareEmbedding(nn.Module):
    """A table of which every row is rounded before it is looked up.

    Args:
        base: an `nn.Embedding`.
        quantizer: rounds the table (rows, features); that of an output layer which is the same table.
    """

    weight: nn.Parameter
    transposed = False

    def __init__(self, base: nn.Embedding, quantizer: WeightQuantizer) -> None:
        super().__init__()
        self.register_parameter("weight", base.get_parameter("weight"))
        self.quantizer, self.padding_idx = quantizer, base.padding_idx
        self.num_embeddings, self.embedding_dim = base.num_embeddings, base.embedding_dim

    def forward(self, tokens: Int[Tensor, "..."]) -> Float[Tensor, "... features"]:
        """Return the rounded row of each token."""
        return functional.embedding(tokens, self.quantizer(self.weight), self.padding_idx)


def as_rows(layer: AwareLinear | AwareEmbedding) -> Float[Tensor, "outputs inputs"]:
    """Return a layer's weight with an output in each row; steps are shared along rows."""
    # Contiguous, because a product of the same numbers in another layout ends in other last digits.
    return layer.weight.mT.contiguous() if layer.transposed else layer.weight


def stored_weight(layer: AwareLinear | AwareEmbedding, dtype: torch.dtype = torch.float32) -> StoredWeight:
    """Return the integers and steps of a layer's rounded weight, which become numbers of a type."""
    integers, steps = layer.quantizer.stored(as_rows(layer))
    # The steps were rounded to 16 bits before anything was trained with them: nothing is lost here.
    bits = 2 if layer.quantizer.bits == "ternary" else int(layer.quantizer.bits)
    return StoredWeight(GroupedWeight(integers, steps.to(torch.float16).contiguous()), bits, dtype)
