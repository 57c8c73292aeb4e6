"""The exact divergence of a model from the noisy reversal: a sum over all prefixes, without sampling."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from seq2seq_study.likelihood import logits_of
from seq2seq_study.noisy_reversal import NoisyReversal
from seq2seq_study.sequences import FIRST


@dataclass(frozen=True)
class Divergence:
    """How far a model q is from the task p, exactly, as means over the sources; all but the last two in nats per token.

    Args:
        data_prefixes: KL(p_t || q_t) where p wrote what stands before; summed over places it is KL(p || q).
        own_prefixes: the same KL(p_t || q_t), where the model wrote what stands before.
        data_by_place, own_by_place: the two by place.
        reverse: KL(q || p).
        total_variation: between the distributions of whole targets.
        reward: expected share of places where a sample of the model equals a sample of the task.
    """

    data_prefixes: float
    own_prefixes: float
    data_by_place: list[float]
    own_by_place: list[float]
    reverse: float
    total_variation: float
    reward: float


def measure_divergence(task: NoisyReversal, sources: Tensor, log_q: Tensor) -> Divergence:
    """Return the divergence of conditionals log q(symbol at t | source, prefix) from those of the task.

    Args:
        sources: (sources, tokens)
        log_q: (sources, prefixes, tokens, symbols) for all prefixes in the order of `NoisyReversal.enumerate`.
    """
    prefixes = task.enumerate(task.tokens - 1)
    p = task.conditionals(sources[:, None], prefixes[None]).expand(log_q.shape)
    q = log_q.double().exp()
    index = prefixes[None, :, :, None].expand(len(sources), -1, -1, 1)
    weight_p, weight_q = (each[:, :, :-1].gather(-1, index)[..., 0].prod(dim=-1) for each in (p, q))
    forward = (p * (p.log() - log_q)).sum(dim=-1)  # (sources, prefixes, tokens)
    backward = (q * (log_q - p.log())).sum(dim=-1)
    # A place only depends on what stands before it: the mean over whole prefixes is the mean over shorter ones.
    data, own, reverse = (
        (weight[..., None] * kl).sum(dim=1).mean(dim=0)
        for weight, kl in ((weight_p, forward), (weight_q, forward), (weight_q, backward))
    )
    joint_p, joint_q = (weight[..., None] * each[:, :, -1] for weight, each in ((weight_p, p), (weight_q, q)))
    marginal_q = (weight_q[..., None, None] * q).sum(dim=1)
    return Divergence(
        data_prefixes=data.mean().item(),
        own_prefixes=own.mean().item(),
        data_by_place=data.tolist(),
        own_by_place=own.tolist(),
        reverse=reverse.mean().item(),
        total_variation=(joint_p - joint_q).abs().sum(dim=(1, 2)).mean().item() / 2,
        reward=(marginal_q * task.marginals(sources)).sum(dim=-1).mean().item(),
    )


@torch.no_grad()
def model_log_q(task: NoisyReversal, model: nn.Module, sources: Tensor) -> Tensor:
    """Return a model's conditionals for all prefixes, as `measure_divergence` wants them."""
    device = next(model.parameters()).device
    prefixes = pad(task.enumerate(task.tokens - 1), (0, 1))  # the last symbol is only a target
    log_q = []
    for source in sources:  # one at a time: there are symbols^(tokens - 1) prefixes
        pair = task.pair(source.expand(len(prefixes), -1), prefixes).to(device)
        log_q.append(logits_of(model, pair)[..., FIRST:].double().log_softmax(dim=-1).cpu())
    return torch.stack(log_q)
