"""One step of training a GPT, done in ways that need less memory; all but the formats give the same gradients."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.checkpoint import checkpoint

from memory_study.chunked_loss import chunked_loss
from memory_study.eight_bit_adam import AdamW8Bit
from shared.nn.gpt import GPT

States = Literal["float", "8 bits", "none"]


@dataclass(frozen=True)
class Way:
    """How a step is done.

    Args:
        pieces: the batch is cut into so many, whose gradients add up (gradient accumulation).
        recompute: keep only what enters a block, and compute the block again in the backward pass (checkpointing).
        chunk: tokens whose logits exist at a time (default: all).
        states: what the optimizer keeps: AdamW's two averages, the same in 8 bits, or nothing (SGD).
        bfloat16: weights and all that follows of them in two bytes a number.
    """

    pieces: int = 1
    recompute: bool = False
    chunk: int | None = None
    states: States = "float"
    bfloat16: bool = False


WayName = Literal["plain", "pieces", "recomputed", "chunks", "eight_bit", "sgd", "bfloat16", "together"]
WAYS: dict[WayName, Way] = {
    "plain": Way(),
    "pieces": Way(pieces=4),
    "recomputed": Way(recompute=True),
    "chunks": Way(chunk=128),
    "eight_bit": Way(states="8 bits"),
    "sgd": Way(states="none"),
    "bfloat16": Way(bfloat16=True),
    "together": Way(pieces=4, recompute=True, chunk=128),
}
TITLES: dict[WayName, str] = {
    "plain": "plain",
    "pieces": "batch in four pieces",
    "recomputed": "blocks computed twice",
    "chunks": "logits in chunks",
    "eight_bit": "averages in 8 bits",
    "sgd": "no averages (SGD)",
    "bfloat16": "bfloat16",
    "together": "pieces, twice and chunks",
}


class TwiceComputed(nn.Module):
    """A block that keeps only its input, and is computed again when its gradients are asked for (Chen et al. 2016)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Float[Tensor, "rows tokens d_model"]) -> Float[Tensor, "rows tokens d_model"]:
        """Return what the block returns."""
        return checkpoint(self.block, x, use_reentrant=False)


def prepare(gpt: GPT, way: Way, learning_rate: float) -> tuple[GPT, Optimizer]:
    """Return the model as a way wants it (changed in place), and its optimizer."""
    if way.bfloat16:
        gpt = gpt.to(torch.bfloat16)
    if way.recompute:
        gpt.blocks = nn.ModuleList(TwiceComputed(block) for block in gpt.blocks)
    parameters = gpt.parameters()
    if way.states == "none":
        return gpt, torch.optim.SGD(parameters, learning_rate, foreach=False)
    if way.states == "8 bits":
        return gpt, AdamW8Bit(parameters, learning_rate)
    return gpt, torch.optim.AdamW(parameters, learning_rate, foreach=False)


def hidden_states(gpt: GPT, tokens: Int[Tensor, "rows tokens"]) -> Float[Tensor, "rows tokens d_model"]:
    """Return what the output layer reads."""
    x = gpt.token_embedding(tokens) + gpt.positions(torch.arange(tokens.shape[1])[None])
    for block in gpt.blocks:
        x = block(x)
    return gpt.norm(x)


def loss_of(gpt: GPT, tokens: Int[Tensor, "rows tokens_and_one"], way: Way) -> Float[Tensor, ""]:
    """Return the sum of the losses of the tokens after each token."""
    hidden, labels = hidden_states(gpt, tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten()
    if way.chunk is not None:
        return chunked_loss(hidden, gpt.head.weight, labels, way.chunk)
    return functional.cross_entropy(gpt.head(hidden), labels, reduction="sum")


def step(gpt: GPT, optimizer: Optimizer, tokens: Int[Tensor, "rows tokens_and_one"], way: Way) -> float:
    """Do one step and return its loss, the mean over the tokens; rows are shared out evenly among the pieces.

    Raises:
        ValueError: the pieces do not divide the rows.
    """
    rows, count = len(tokens), tokens[:, 1:].numel()
    if rows % way.pieces:
        raise ValueError(f"{rows} rows cannot be cut into {way.pieces} equal pieces: choose a divisor")
    total = 0.0
    for piece in tokens.chunk(way.pieces):
        loss = loss_of(gpt, piece, way) / count
        loss.backward()
        total += loss.item()
        del loss  # what it was computed from would live on until the next piece has been computed
    optimizer.step()
    optimizer.zero_grad()
    return total
