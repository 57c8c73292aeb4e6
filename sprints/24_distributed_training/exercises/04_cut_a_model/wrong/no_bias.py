"""Nobody adds the bias."""

import torch
from torch import Tensor
from torch.nn import functional


def own_rows(d_model: int, size: int, rank: int) -> Tensor:
    """Return which rows of the packed projection a process needs, in their order there."""
    part = d_model // size
    first = torch.arange(rank * part, (rank + 1) * part)
    return torch.cat([first, first + d_model, first + 2 * d_model])


def partial_output(
    x: Tensor, qkv: Tensor, output: Tensor, output_bias: Tensor, heads: int, size: int, rank: int
) -> Tensor:
    """Return what a process adds to the output of self-attention: the sum over all processes is the whole output."""
    d_model = x.shape[-1]
    part = d_model // size
    own = (x @ qkv[own_rows(d_model, size, rank)].mT).chunk(3, dim=-1)
    query, key, value = (tensor.unflatten(-1, (heads // size, -1)).transpose(1, 2) for tensor in own)
    mixed = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    return mixed @ output[:, rank * part : (rank + 1) * part].mT


def one_forward_one_backward(rank: int, size: int, micros: int) -> list[str]:
    """Return the order of work of a process in 1F1B: "F0" is forward with micro-batch 0, "B0" backward."""
    ahead = min(size - rank - 1, micros)
    order = [f"F{micro}" for micro in range(ahead)]
    for micro in range(ahead, micros):
        order += [f"F{micro}", f"B{micro - ahead}"]
    return order + [f"B{micro}" for micro in range(micros - ahead, micros)]
