"""The parts are taken in another order than they are stored in."""

from torch import Tensor
from torch.nn import functional


def attention(x: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    parts = (x @ weights["attn.c_attn.weight"] + weights["attn.c_attn.bias"]).chunk(3, dim=-1)
    key, query, value = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in parts)
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).flatten(2)
    return mixed @ weights["attn.c_proj.weight"] + weights["attn.c_proj.bias"]
