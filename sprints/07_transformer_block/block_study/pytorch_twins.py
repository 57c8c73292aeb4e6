"""Stacks of our blocks with the weights of PyTorch's layers, for comparison."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import DecoderBlock, EncoderBlock

Block = EncoderBlock | DecoderBlock


def copy_layer(ours: nn.Module, theirs: nn.Module) -> None:
    """Copy the weights of an nn.TransformerEncoderLayer or nn.TransformerDecoderLayer into the block of that kind."""
    attentions = {"attention": "self_attn"}
    if isinstance(ours, DecoderBlock):
        attentions = {"self_attention": "self_attn", "cross_attention": "multihead_attn"}
    names = {"feed_forward.expand": "linear1", "feed_forward.contract": "linear2"}
    for number, part in enumerate([*attentions, "feed_forward"], start=1):
        names[f"{part}_norm"] = f"norm{number}"
    for our_name, their_name in attentions.items():
        names[f"{our_name}.output"] = f"{their_name}.out_proj"
        attention, source = ours.get_submodule(our_name), theirs.get_submodule(their_name)
        assert isinstance(attention, MultiHeadAttention)
        attention.qkv.load_state_dict({"weight": source.in_proj_weight, "bias": source.in_proj_bias})
    for our_name, their_name in names.items():
        ours.get_submodule(our_name).load_state_dict(theirs.get_submodule(their_name).state_dict())


class TwinStack(nn.Module):
    """Blocks with the weights of a stack of PyTorch's and, if that has one, its norm at the end.

    Args:
        theirs: an nn.TransformerEncoder or nn.TransformerDecoder.
        kind: EncoderBlock or DecoderBlock.
        options: of the blocks.
    """

    def __init__(self, theirs: Any, kind: type[Block], options: dict[str, Any]) -> None:
        super().__init__()
        self.kind, self.options = kind, options
        self.blocks = nn.ModuleList(kind(**options) for _ in theirs.layers)
        self.norm = nn.Identity() if theirs.norm is None else nn.LayerNorm(options["d_model"])
        self.to(next(theirs.parameters()).dtype)
        for block, layer in zip(self.blocks, theirs.layers, strict=True):
            copy_layer(block, layer)
        if theirs.norm is not None:
            self.norm.load_state_dict(theirs.norm.state_dict())

    def forward(self, x: Tensor, *memory: Tensor, **masks: Any) -> Tensor:
        """Return the tokens after all blocks; masks as the blocks take them."""
        for block in self.blocks:
            x = block(x, *memory, **masks)
        return self.norm(x)

    def in_our_form(self, theirs: nn.Module, values: Sequence[Tensor]) -> list[Tensor]:
        """Return values, one for each of their parameters, in the order and form of ours: gradients, for example."""
        carrier = copy.deepcopy(theirs)
        with torch.no_grad():
            for parameter, value in zip(carrier.parameters(), values, strict=True):
                parameter.copy_(value)
        return [parameter.detach() for parameter in TwinStack(carrier, self.kind, self.options).parameters()]


def make_twins(
    kind: str, norm: str, activation: str, depth: int, *, d_model: int, heads: int, d_hidden: int, dtype: torch.dtype
) -> tuple[TwinStack, nn.Module]:
    """Return a stack of ours and one of PyTorch's with the same random weights; kind is "encoder" or "decoder".

    Raises:
        ValueError: another kind.
    """
    if kind not in ("encoder", "decoder"):
        raise ValueError(f"kind must be 'encoder' or 'decoder'; got {kind!r}")
    settings: dict[str, Any] = {"activation": activation, "batch_first": True, "norm_first": norm == "pre"}
    end = nn.LayerNorm(d_model) if norm == "pre" else None
    if kind == "encoder":
        layer = nn.TransformerEncoderLayer(d_model, heads, d_hidden, 0.0, **settings)
        theirs: nn.Module = nn.TransformerEncoder(layer, depth, end, enable_nested_tensor=False)
    else:
        theirs = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(d_model, heads, d_hidden, 0.0, **settings), depth, end
        )
    theirs.to(dtype)
    with torch.no_grad():
        for parameter in theirs.parameters():
            # PyTorch starts all layers of a stack alike, biases at zero and gains at one: a mistake would not show.
            parameter.add_(0.1 * torch.randn_like(parameter))
    options = {"d_model": d_model, "heads": heads, "d_hidden": d_hidden, "norm": norm, "activation": activation}
    return TwinStack(theirs, EncoderBlock if kind == "encoder" else DecoderBlock, options), theirs
