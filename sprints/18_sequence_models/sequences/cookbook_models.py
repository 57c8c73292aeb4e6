"""The models that read the cookbook, each of about the same number of parameters, and their optimizers.

Blocks are stacked in the usual number of each kind: two of recurrent networks, whose width is worth more than their
depth at this size, four of Mamba and of the transformer. The width is what is left to choose.
"""

from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

from sequences.blocks import LogitsOnly
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.mamba import mamba_model
from shared.nn.recurrent_kernels import FusedRecurrent
from shared.nn.sequence_model import Residual, SequenceModel
from shared.training.muon import Muon
from shared.training.optimizers import decay_groups, hidden_matrices

CookbookArm = Literal["rnn", "lstm", "gru", "mamba", "gpt"]
NAMES: dict[str, str] = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "mamba": "Mamba", "gpt": "GPT"}
BLOCKS: dict[str, int] = {"rnn": 2, "lstm": 2, "gru": 2, "mamba": 4, "gpt": 4}
WIDTHS = range(8, 2048, 8)  # multiples of the heads, and of what processors like


def build(arm: CookbookArm, vocab_size: int, d_model: int, context: int) -> GPT | LogitsOnly:
    """Return a new model of one kind and width.

    Args:
        arm: the kind.
        vocab_size: distinct tokens.
        d_model: features of a token, and numbers of a recurrent network's hidden state.
        context: the most tokens of a row; only attention, which learns positions, has to know.
    """
    if arm == "gpt":
        return GPT(GPTConfig(vocab_size, context, BLOCKS[arm], heads=4, d_model=d_model, dropout=0.0))
    if arm == "mamba":
        # A scan that is not fused costs as much time as it has numbers of state: 4 for each feature, not 16.
        return LogitsOnly(mamba_model(vocab_size, d_model, BLOCKS[arm], d_state=4))
    blocks = []
    for _ in range(BLOCKS[arm]):
        layer = FusedRecurrent(arm, d_model, d_model)
        if arm == "lstm":
            layer.set_forget_bias(1.0)
        blocks.append(Residual(layer, nn.LayerNorm(d_model)))
    return LogitsOnly(SequenceModel(vocab_size, d_model, blocks, nn.LayerNorm(d_model)))


def width_for(arm: CookbookArm, vocab_size: int, parameters: int, context: int) -> int:
    """Return the width, a multiple of 8, whose model comes nearest to a number of parameters.

    Raises:
        ValueError: no width comes within a fifth of it.
    """
    low, high = 0, len(WIDTHS) - 1
    while high - low > 1:
        middle = (low + high) // 2
        small = build(arm, vocab_size, WIDTHS[middle], context).parameter_count() < parameters
        low, high = (middle, high) if small else (low, middle)
    nearest = (WIDTHS[low], WIDTHS[high])
    sizes = {width: build(arm, vocab_size, width, context).parameter_count() for width in nearest}
    width = min(sizes, key=lambda width: abs(sizes[width] - parameters))
    if abs(sizes[width] - parameters) > parameters / 5:
        raise ValueError(
            f"the {NAMES[arm]} nearest to {parameters} parameters has {sizes[width]}, a fifth off or more: give "
            "another --parameters"
        )
    return width


def optimizers_of(model: nn.Module, factor: float) -> list[Optimizer]:
    """Return Muon for the matrices of the blocks and AdamW for the rest, at sprint 9's rates times a factor.

    What looks like a matrix and is a table of numbers, the rates and the convolution of a Mamba, is left to AdamW.
    """
    tables = {id(weight) for name, weight in model.named_parameters() if "log_rate" in name or "convolution" in name}
    matrices = [weight for weight in hidden_matrices(model) if id(weight) not in tables]
    taken = {id(weight) for weight in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in taken]
    return [
        torch.optim.AdamW(decay_groups(rest, 0.0), lr=3e-3 * factor, betas=(0.9, 0.95), fused=True),
        Muon(matrices, lr=0.02 * factor, weight_decay=0.0),
    ]
