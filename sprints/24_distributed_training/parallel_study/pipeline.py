"""A pipeline by hand: each process has some blocks of a GPT, and micro-batches are passed from one to the next."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn

from parallel_study.schedules import Order
from shared.nn.gpt import GPT
from shared.training.parallel import Ranks


class Part(nn.Module):
    """Some consecutive blocks of a GPT; the first part embeds the tokens, and the last one makes the logits.

    Args:
        gpt: the whole model, with an output layer of its own: a tied one would live in two processes.
        number: which part, from the front.
        parts: how many there are; their number divides that of the blocks.

    Raises:
        ValueError: the output layer is tied, or the blocks cannot be dealt out equally.
    """

    def __init__(self, gpt: GPT, number: int, parts: int) -> None:
        super().__init__()
        if gpt.config.tie_weights:
            raise ValueError("the embedding is in the first part and the output layer in the last: tie_weights=False")
        if gpt.config.layers % parts:
            raise ValueError(f"{gpt.config.layers} blocks cannot be dealt out to {parts} equal parts")
        each = gpt.config.layers // parts
        self.blocks = gpt.blocks[number * each : (number + 1) * each]
        first, last = number == 0, number == parts - 1
        self.token_embedding = gpt.token_embedding if first else None
        self.positions = gpt.positions if first else None
        self.norm = gpt.norm if last else None
        self.head = gpt.head if last else None

    def forward(self, x: Tensor) -> Tensor:
        """Return logits if this is the last part, or else features, of tokens (first part) or features."""
        if self.token_embedding is not None and self.positions is not None:
            x = self.token_embedding(x) + self.positions(torch.arange(x.shape[1], device=x.device)[None])
        for block in self.blocks:
            x = block(x)
        return x if self.norm is None or self.head is None else self.head(self.norm(x))


def run_order(
    part: nn.Module, order: Order, ranks: Ranks, inputs: Sequence[Tensor], loss_of: Callable[[Tensor, int], Tensor],
    features: Tensor,
) -> tuple[float, int]:  # fmt: skip
    """Do the work of one process, leave the gradients in its part, and return its loss and how many outputs waited.

    Args:
        part: the process's part of the model.
        order: what it does, one after the other.
        ranks: which process this is.
        inputs: the micro-batches of tokens, which the first process reads.
        loss_of: the loss of a micro-batch from logits and its number, which the last process calls.
        features: a tensor of the shape that is passed on between processes.

    Returns:
        The sum of the losses in the last process, 0 in the others; the most micro-batches that waited at one time.
    """
    rank, size = ranks
    kept: dict[int, tuple[Tensor, Tensor]] = {}
    sent: list[Any] = []  # nobody waits until a message has arrived: two that send to each other would wait for ever
    total, most = 0.0, 0
    for kind, micro, _ in order:
        if kind == "F":
            x = inputs[micro] if rank == 0 else receive(features, rank - 1, micro).requires_grad_()
            y = part(x)
            if rank == size - 1:
                y = loss_of(y, micro)
                total += y.item()
            else:
                sent.append(send(y.detach(), rank + 1, micro))
            kept[micro] = x, y
            most = max(most, len(kept))
        else:
            x, y = kept.pop(micro)
            y.backward(None if rank == size - 1 else receive(features, rank + 1, micro))
            if rank > 0:
                assert x.grad is not None
                sent.append(send(x.grad, rank - 1, micro))
            del x, y  # or the names would keep what the backward pass has given back
    for message, _ in sent:
        message.wait()
    return total, most


def send(x: Tensor, rank: int, micro: int) -> tuple[Any, Tensor]:
    """Begin to send a tensor, and return what can be waited for, with the tensor, which must live until then."""
    x = x.contiguous()
    return distributed.isend(x, rank, tag=micro), x


def receive(like: Tensor, rank: int, micro: int) -> Tensor:
    """Wait for a tensor of a shape from another process."""
    x = torch.empty_like(like)
    distributed.recv(x, rank, tag=micro)
    return x
