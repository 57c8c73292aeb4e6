"""The models that parity and state tracking compare: the same blocks and width, another way to remember.

A block is a layer that mixes tokens and an MLP of 4 d_model hidden features, each with its norm and its residual path.
Every token is given a class: the product of all tokens so far. In front of each row stands a start token. Without it
attention could not tell one token from two equal ones: a mean of equal values is that value.
"""

from functools import partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sequences.blocks import blocks_with_mlps
from shared.nn.linear_recurrence import GatedRecurrence
from shared.nn.llama import Llama, LlamaConfig
from shared.nn.mamba import Mamba
from shared.nn.recurrent_kernels import FusedRecurrent
from shared.nn.sequence_model import SequenceModel

Arm = Literal["signed", "positive", "rnn", "lstm", "mamba", "transformer"]
NAMES: dict[str, str] = {
    "signed": "decays in [−1, 1]",
    "positive": "decays in [0, 1]",
    "rnn": "RNN",
    "lstm": "LSTM",
    "mamba": "Mamba",
    "transformer": "transformer",
}
HEADS = 4  # of attention


def mixing_layer(arm: Arm, d_model: int) -> nn.Module:
    """Return the layer by which tokens hear of earlier ones, a `SequenceLayer`.

    Raises:
        ValueError: a transformer has no layer with a state.
    """
    if arm in ("rnn", "lstm"):
        return FusedRecurrent(arm, d_model, d_model)
    if arm in ("signed", "positive"):
        return GatedRecurrence(d_model, lowest=-1.0 if arm == "signed" else 0.0)
    if arm == "mamba":
        return Mamba(d_model, d_state=4, expand=1)
    raise ValueError(f"a layer with a state is wanted; got {arm!r}: build the classifier instead")


class Classifier(nn.Module):
    """A model that gives each token of a row a class, the element to which all tokens so far come.

    Args:
        arm: the kind; a transformer is a `Llama`, whose rotary positions know distances only.
        elements: classes; of them are the tokens.
        d_model: features of a token, and numbers of a hidden state.
        layers: blocks.
    """

    def __init__(self, arm: Arm, elements: int, d_model: int, layers: int) -> None:
        super().__init__()
        self.elements = elements
        if arm == "transformer":
            # Its MLP has three matrices where the others have two: 8/3 d_model hidden features are as many numbers.
            config = LlamaConfig(
                elements + 1, layers=layers, heads=HEADS, key_value_heads=HEADS, d_model=d_model,
                d_hidden=8 * d_model // 3, tie_weights=False,
            )  # fmt: skip
            self.model: nn.Module = Llama(config)
            return
        blocks = blocks_with_mlps(partial(mixing_layer, arm, d_model), d_model, layers)
        self.model = SequenceModel(elements + 1, d_model, blocks, nn.LayerNorm(d_model), outputs=elements)

    def forward(self, words: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens elements"]:
        """Return the logits of the product at each token."""
        start = words.new_full((len(words), 1), self.elements)
        read = self.model(torch.cat([start, words], dim=1))
        logits = read if isinstance(read, Tensor) else read[0]
        return logits[:, 1:, : self.elements]  # of the start token, and for it, nothing is asked

    def parameter_count(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())
