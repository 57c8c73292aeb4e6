"""Optimizers for any model: which weights decay, which ones Muon moves, and AdamW for the rest."""

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.optim import AdamW, Optimizer

from shared.training.muon import Muon


def make_optimizers(
    model: nn.Module,
    *,
    learning_rate: float,
    muon_learning_rate: float | None = None,
    weight_decay: float = 0.0,
    betas: tuple[float, float] = (0.9, 0.95),
) -> list[Optimizer]:
    """Return AdamW for all parameters or, given a rate for Muon, Muon for the hidden matrices and AdamW for the rest.

    Weights with two or more axes decay; biases and gains do not. Muon (Jordan et al. 2024) replaces the momentum of a
    matrix by the nearest orthogonal matrix, so that every direction learns equally fast.
    """
    if muon_learning_rate is None:
        return [AdamW(decay_groups(model.parameters(), weight_decay), lr=learning_rate, betas=betas, fused=True)]
    hidden, rest = split_for_muon(model)
    return [
        AdamW(decay_groups(rest, weight_decay), lr=learning_rate, betas=betas, fused=True),
        Muon(hidden, lr=muon_learning_rate, weight_decay=weight_decay),
    ]


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Return trainable parameters in two groups: those with two or more axes decay, biases and gains do not."""
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trainable if parameter.dim() >= 2], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trainable if parameter.dim() < 2], "weight_decay": 0.0},
    ]


def split_for_muon(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the trainable parameters that Muon is meant for (`hidden_matrices`), and the others."""
    hidden = hidden_matrices(model)
    taken = {id(matrix) for matrix in hidden}
    rest = [weight for weight in model.parameters() if weight.requires_grad and id(weight) not in taken]
    return hidden, rest


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """Return the trainable matrices inside lists of blocks; the tables of embeddings are none."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    layers = [layer for blocks in lists for layer in blocks.modules() if not isinstance(layer, nn.Embedding)]
    weights = [weight for layer in layers for weight in layer.parameters(recurse=False)]
    return list({id(weight): weight for weight in weights if weight.dim() == 2 and weight.requires_grad}.values())
