"""Faults that teaching code has shipped, to be built into a little translator on purpose.

Each takes a model, breaks it, and returns the loss to train and report it with.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from block_study.little_models import LittleModel, Loss
from shared.nn.cache import KeyValueCache
from shared.nn.masks import causal_mask
from shared.training.losses import next_token_loss


class Tampered(nn.Module):
    """A part whose calls go through a function that changes them."""

    def __init__(self, part: nn.Module, tamper: Callable[..., Tensor]) -> None:
        super().__init__()
        self.part, self.tamper = part, tamper

    def forward(self, *inputs, **options) -> Tensor:
        """Return what the function makes of a call of the part."""
        return self.tamper(self.part, *inputs, **options)


def tamper_with(model: LittleModel, name: str, tamper: Callable[..., Tensor]) -> None:
    """Put a function around the part of that name in every decoder block."""
    for block in model.blocks:
        owner, _, leaf = name.rpartition(".")
        block.get_submodule(owner).add_module(leaf, Tampered(block.get_submodule(name), tamper))


def look_where(model: LittleModel, mask: Callable[[int, int], Tensor | None]) -> Loss:
    """Let the decoder's self-attention look where a function of the numbers of queries and keys says."""

    def tamper(attention: nn.Module, x: Tensor, cache: KeyValueCache | None = None, **_masks) -> Tensor:
        num_keys = x.shape[1] + (cache.length if cache else 0)
        return attention(x, mask=mask(x.shape[1], num_keys), cache=cache)

    tamper_with(model, "self_attention", tamper)
    return next_token_loss


def invert_the_mask(model: LittleModel) -> Loss:
    return look_where(model, lambda num_queries, num_keys: ~causal_mask(num_queries, num_keys))


def forget_the_mask(model: LittleModel) -> Loss:
    return look_where(model, lambda _num_queries, _num_keys: None)


def look_at_oneself_only(model: LittleModel) -> Loss:
    return look_where(model, lambda num_queries, num_keys: torch.eye(num_keys, dtype=torch.bool)[-num_queries:])


def forget_the_padding_of_the_source(model: LittleModel) -> Loss:
    tamper_with(model, "cross_attention", lambda part, x, memory, _mask: part(x, memory))
    return next_token_loss


def look_at_the_target_instead_of_the_memory(model: LittleModel) -> Loss:
    def tamper(attention: nn.Module, x: Tensor, _memory: Tensor, _mask: Tensor | None) -> Tensor:
        return attention(x, causal=True)

    tamper_with(model, "cross_attention", tamper)
    return next_token_loss


def normalise_over_the_tokens(model: LittleModel) -> Loss:
    def tamper(_norm: nn.Module, x: Tensor) -> Tensor:
        return (x - x.mean(dim=1, keepdim=True)) / (x.var(dim=1, correction=0, keepdim=True) + 1e-5).sqrt()

    tamper_with(model, "feed_forward_norm", tamper)
    return next_token_loss


def detach_the_feed_forward_network(model: LittleModel) -> Loss:
    tamper_with(model, "feed_forward", lambda part, x: part(x).detach())
    return next_token_loss


def start_with_large_weights(model: LittleModel) -> Loss:
    with torch.no_grad():
        model.head.weight.mul_(50)
    return next_token_loss


def softmax_before_the_loss(model: LittleModel) -> Loss:
    # The loss takes logits and has a softmax of its own.
    model.add_module("head", Tampered(model.head, lambda head, x: head(x).softmax(dim=-1)))
    return next_token_loss


def cache_without_positions(model: LittleModel) -> Loss:
    embed = type(model).embed

    class Forgetful(type(model)):  # ty: ignore[unsupported-base]
        def embed(self, tokens: Tensor, _past: int = 0) -> Tensor:
            return embed(self, tokens)

    model.__class__ = Forgetful
    return next_token_loss


def shift_the_labels_twice(_model: LittleModel) -> Loss:
    return lambda logits, tokens: next_token_loss(logits[:, :-1], tokens[:, 1:])


FAULTS: dict[str, Callable[[LittleModel], Loss]] = {
    fault.__name__.replace("_", " "): fault
    for fault in (
        invert_the_mask,
        forget_the_mask,
        look_at_oneself_only,
        forget_the_padding_of_the_source,
        look_at_the_target_instead_of_the_memory,
        normalise_over_the_tokens,
        detach_the_feed_forward_network,
        start_with_large_weights,
        softmax_before_the_loss,
        cache_without_positions,
        shift_the_labels_twice,
    )
}
