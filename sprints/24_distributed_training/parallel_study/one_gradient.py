"""Data parallel by hand: the same weights everywhere, rows of one's own, and one gradient from all of them."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, distributed, nn
from torch.nn import functional

from shared.nn.gpt import GPT, GPTConfig

Rows = tuple[Int[Tensor, "rows tokens"], Bool[Tensor, "rows tokens"]]


def broadcast_weights(model: nn.Module) -> None:
    """Give every process the weights of process 0."""
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            distributed.broadcast(tensor, src=0)


def average_gradients(model: nn.Module) -> None:
    """Replace every gradient by its mean over all processes, one after the other, after the backward pass."""
    for parameter in model.parameters():
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= distributed.get_world_size()


def gradient_of(model: nn.Module) -> Tensor:
    """Return all gradients of a model in one row."""
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def sum_of_all(number: int) -> int:
    """Return the sum of a number over all processes: of targets, for one."""
    total = torch.tensor(number)
    distributed.all_reduce(total)
    return int(total)


def share_of_loss(summed: Tensor, targets_of_all: int) -> Tensor:
    """Return what a process takes the gradient of, so that the mean over processes is the gradient of the mean loss.

    Args:
        summed: the loss of this process's targets, added up.
        targets_of_all: how many targets all processes have together.
    """
    return distributed.get_world_size() * summed / targets_of_all


def summed_loss(model: nn.Module, rows: Rows) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of next tokens and how many there are, in the precision of the model.

    Args:
        model: returns logits, one token ahead.
        rows: tokens, and a mask that is True where a token is real.
    """
    tokens, mask = rows
    logits, targets = model(tokens[:, :-1]), tokens[:, 1:].where(mask[:, 1:], -100)
    return functional.cross_entropy(logits.mT, targets, reduction="sum"), int(mask[:, 1:].sum())


def small_gpt(seed: int, layers: int = 2, d_model: int = 16, context: int = 16, vocab_size: int = 50) -> GPT:
    """Return a small GPT in float64, without dropout."""
    size = GPTConfig(vocab_size, context, layers, 2, d_model, dropout=0.0)
    return GPT(size, torch.Generator().manual_seed(seed)).double()


def unequal_rows(lengths: Sequence[int], vocab_size: int, seed: int) -> Rows:
    """Return rows of random tokens, each so many long, and the mask that says where they end."""
    shape = len(lengths), max(lengths)
    tokens = torch.randint(vocab_size, shape, generator=torch.Generator().manual_seed(seed))
    return tokens, torch.arange(shape[1]) < torch.tensor(lengths)[:, None]
