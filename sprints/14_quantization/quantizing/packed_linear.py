"""Weight-only quantization with a fused kernel: integers are read from memory and become numbers in registers only.

PyTorch has such kernels for processors: `_weight_int8pack_mm` (a scale for each row) and `_weight_int4pack_mm_for_cpu`
(a scale and an offset for each group of a row). Activations stay floating-point numbers, as in torchao's weight-only
configurations.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from quantizing.converted import PackedLinear, with_linears
from shared.nn.integer_grid import make_grid, min_max, quantize

OUTPUTS = 16


class Int8Linear(PackedLinear):
    """A linear layer whose weight is int8 with one scale for each row.

    Args:
        linear: the layer to quantize; its type is that of the activations.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        grid = make_grid(*min_max(weight.float(), 8, True), 8, symmetric=True)
        self.register_buffer("integers", quantize(weight.float(), grid).to(torch.int8))
        self.register_buffer("scales", grid.scale.flatten().to(weight.dtype))
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        # (batch, tokens, inputs) -> (batch, tokens, outputs)
        y = torch.ops.aten._weight_int8pack_mm(x.flatten(0, -2), self.integers, self.scales)
        return (y if self.bias is None else y + self.bias).unflatten(0, x.shape[:-1])


class Int4Linear(PackedLinear):
    """A linear layer whose weight is int4, two to a byte, with one scale for each group of a row.

    Args:
        linear: the layer to quantize; its type is that of the activations.
        group: weights that share a scale: 32, 64 or 128.
    """

    def __init__(self, linear: nn.Linear, group: int = 64) -> None:
        super().__init__()
        weight = linear.weight.detach()
        grouped = weight.float().unflatten(1, (-1, group))  # (outputs, groups, group)
        grid = make_grid(*min_max(grouped, 4, True), 4, symmetric=True)
        # The kernel computes (q - 8) scale + offset with q from 0 to 15.
        integers = (quantize(grouped, grid) + 8).to(torch.int32).flatten(1)
        scales = grid.scale.squeeze(-1)  # (outputs, groups)
        # It wants outputs in sixteens. GPT-2's vocabulary has 50,257: the rest of the last sixteen is cut off again.
        missing = -len(weight) % OUTPUTS
        integers, scales = (functional.pad(x, (0, 0, 0, missing)) for x in (integers, scales))
        self.outputs, self.group = len(weight), group
        self.register_buffer("integers", torch.ops.aten._convert_weight_to_int4pack_for_cpu(integers, 1))
        pairs = torch.stack([scales.T, torch.zeros_like(scales.T)], dim=-1)  # (groups, outputs, 2)
        self.register_buffer("scales_and_offsets", pairs.to(weight.dtype).contiguous())
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        y = torch.ops.aten._weight_int4pack_mm_for_cpu(
            x.flatten(0, -2).contiguous(), self.integers, self.group, self.scales_and_offsets
        )[:, : self.outputs]
        return (y if self.bias is None else y + self.bias).unflatten(0, x.shape[:-1])


def pack_weights(model: PreTrainedModel, kind: type[Int8Linear] | type[Int4Linear]) -> PreTrainedModel:
    """Return a copy in bfloat16 with the weights of every linear layer packed."""
    model = with_linears(model).to(torch.bfloat16)
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear):
            model.set_submodule(name, kind(module))
    return model
