"""What the heads of an attention-only model do on repeated rows: the scores by which induction heads are found."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from attention_study.attention_only import AttentionOnly
from attention_study.repeated_rows import Rows, copies


@dataclass(frozen=True)
class Head:
    """How much a head looks one back, how much at what followed the same token before, and the loss without it."""

    layer: int
    head: int
    previous_token: float
    prefix_matching: float
    loss_without: float


@dataclass(frozen=True)
class Curve:
    """The losses at one step, and the scores of each head by layer."""

    first_copy: float
    second_copy: float
    previous_token: list[list[float]]
    prefix_matching: list[list[float]]


def token_losses(model: nn.Module, batch: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss of each target, and which targets belong to the first and to the second copy."""
    logits, wanted = model(batch.tokens)[0], batch.tokens[:, 1:]
    losses = functional.cross_entropy(logits[:, :-1].flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
    return losses, *copies(batch)


@torch.no_grad()
def measure(model: AttentionOnly, batch: Rows) -> Curve:
    """Return the losses of both copies, and the previous-token and prefix-matching score of each head."""
    losses, first, second = token_losses(model, batch)
    maps, (count, width) = model(batch.tokens)[1], batch.tokens.shape
    queries = torch.arange(width, device=losses.device).expand(count, -1)
    # From each place of the first copy to the one before it: there the second copy finds what followed what.
    previous = maps[..., 1:, :].diagonal(dim1=-2, dim2=-1).transpose(1, 2)[:, :, queries[:, 1:] <= batch.periods]
    # In the second copy a token at s stood at s - (period + 1) before, and was followed by what stands at s - period.
    copying = (queries > batch.periods) & (queries < 2 * batch.periods + 1)
    keys = (queries - batch.periods).clamp(min=0)[None, :, None, :, None].expand(*maps.shape[:-1], 1)
    prefix = maps.gather(-1, keys)[..., 0].transpose(1, 2)[:, :, copying]
    scores = previous.mean(dim=-1).tolist(), prefix.mean(dim=-1).tolist()
    return Curve(losses[first].mean().item(), losses[second].mean().item(), *scores)


def heads_of(model: AttentionOnly, batch: Rows) -> list[Head]:
    """Return the scores of all heads, and the loss of the second copy when each of them writes nothing."""
    curve, heads = measure(model, batch), []
    for layer, (previous, prefix) in enumerate(zip(curve.previous_token, curve.prefix_matching, strict=True)):
        for head, scores in enumerate(zip(previous, prefix, strict=True)):
            crippled = copy.deepcopy(model)
            crippled.silence(layer, head)
            heads.append(Head(layer, head, *scores, measure(crippled, batch).second_copy))
    return heads
