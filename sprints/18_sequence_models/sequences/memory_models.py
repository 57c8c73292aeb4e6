"""The models that copying, recall and brackets compare: the same blocks, norms and width, another way to remember.

Each has blocks of a layer that mixes tokens and an MLP of 8 d_model^2 weights. The transformer is a Llama: its rotary
positions say where to look and are not handed on, so that a head that looks one token back is easily found.
"""

from functools import partial
from typing import Literal

import torch
from torch import nn

from sequences.blocks import LogitsOnly, blocks_with_mlps
from shared.nn.delta_rule import GatedDelta
from shared.nn.linear_attention import LinearAttention
from shared.nn.llama import Llama, LlamaConfig
from shared.nn.mamba2 import Mamba2
from shared.nn.recurrent_kernels import FusedRecurrent
from shared.nn.sequence_model import SequenceModel

Arm = Literal["llama", "rnn", "gru", "lstm", "linear", "delta", "mamba2"]
NAMES: dict[str, str] = {
    "llama": "transformer",
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
    "linear": "linear attention",
    "delta": "gated delta rule",
    "mamba2": "Mamba-2",
}


def mixing_layer(arm: Arm, d_model: int, heads: int) -> nn.Module:
    """Return the layer by which tokens hear of each other, a `SequenceLayer`.

    Raises:
        ValueError: attention has no state of a fixed size.
    """
    if arm in ("rnn", "gru", "lstm"):
        layer = FusedRecurrent(arm, d_model, d_model)
        if arm == "lstm":
            layer.set_forget_bias(1.0)
        return layer
    if arm == "linear":
        return LinearAttention(d_model, heads, "gated")
    if arm == "delta":
        return GatedDelta(d_model, heads)
    if arm == "mamba2":
        return Mamba2(d_model, heads, d_state=d_model // 2, expand=1, chunk=32)
    raise ValueError(f"a layer with a state is wanted; got {arm!r}: build the model instead")


def make_model(arm: Arm, vocab_size: int, d_model: int, context: int, layers: int = 2, heads: int = 4) -> "Reader":
    """Return a model of one kind, with new weights.

    Args:
        arm: the kind.
        vocab_size: distinct tokens.
        d_model: features of a token, and numbers of a hidden state.
        context: the most tokens of a row.
        layers: blocks.
        heads: of attention, linear attention, the delta rule and Mamba-2.
    """
    if arm == "llama":
        # Three matrices of 8/3 d_model hidden features are as many weights as two of 4 d_model.
        hidden = max(1, 8 * d_model // 3)
        config = LlamaConfig(
            vocab_size, context, layers, heads, key_value_heads=heads, d_model=d_model, d_hidden=hidden
        )
        return Reader(Llama(config))
    blocks = blocks_with_mlps(partial(mixing_layer, arm, d_model, heads), d_model, layers)
    return Reader(SequenceModel(vocab_size, d_model, blocks, nn.LayerNorm(d_model)))


class Reader(LogitsOnly):
    """A language model of which it is asked how much of a text it keeps."""

    @torch.no_grad()
    def state_numbers(self, tokens: int) -> int:
        """Return how many numbers are kept of a text: of attention keys and values, else the states of all layers."""
        if isinstance(self.model, Llama):
            return 2 * self.model.config.layers * self.model.config.d_model * tokens
        _, states = self.model(torch.zeros(1, tokens, dtype=torch.long))
        return sum(part.numel() for parts in states for part in parts)
