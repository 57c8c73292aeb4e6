"""A mixture of experts (Shazeer et al. 2017) as in Mixtral: a router sends each token to a few of many networks.

A token pays for the experts it is sent to, and the model has the weights of all of them. That the experts get about
equally many tokens is the work of a second loss, `balance_loss`.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.llama import SwiGLU


class Routing(NamedTuple):
    """Where one layer sends each token: its scores, the experts that it chooses, and how they are weighted."""

    logits: Float[Tensor, "rows experts"]
    chosen: Int[Tensor, "rows top_k"]
    weights: Float[Tensor, "rows top_k"]


def check_experts(experts: int, top_k: int) -> None:
    """Check that so many experts can be chosen.

    Raises:
        ValueError: fewer than one expert, or a token that is sent to none or to more than there are.
    """
    if not 1 <= top_k <= experts:
        raise ValueError(
            f"a token is sent to at least one expert and at most to all of them; got top_k={top_k} of "
            f"experts={experts}: give a smaller top_k or more experts"
        )


def route(logits: Float[Tensor, "rows experts"], top_k: int) -> Routing:
    """Return the `top_k` most probable experts of each token, weighted by softmax over those alone.

    Softmax over all experts, of which the chosen ones are divided by their sum (Jiang et al. 2024, section 2.1, write
    softmax of the chosen logits: the sum of the others cancels). Errors as in `check_experts`.
    """
    check_experts(logits.shape[-1], top_k)
    probabilities, chosen = logits.float().softmax(dim=-1).topk(top_k, dim=-1)
    return Routing(logits, chosen, probabilities / probabilities.sum(dim=-1, keepdim=True))


class Router(nn.Module):
    """One linear layer without a bias, from a token's features to a score for each expert; errors as of `route`."""

    def __init__(self, d_model: int, experts: int, top_k: int) -> None:
        super().__init__()
        check_experts(experts, top_k)
        self.weight = nn.Parameter(torch.empty(experts, d_model))
        nn.init.normal_(self.weight, std=d_model**-0.5)
        self.top_k = top_k

    def forward(self, x: Float[Tensor, "rows d_model"]) -> Routing:
        """Return where each token goes."""
        return route(functional.linear(x, self.weight), self.top_k)


class MixtureOfExperts(nn.Module):
    """Takes the place of a feed-forward network: sum over the chosen experts of weight * expert(x).

    Args:
        d_model: features of a token.
        d_hidden: hidden features of each expert.
        experts: SwiGLU networks to choose from.
        top_k: how many of them a token is sent to.

    Raises:
        ValueError: as in `check_experts`.
    """

    def __init__(self, d_model: int, d_hidden: int, experts: int, top_k: int) -> None:
        super().__init__()
        self.router = Router(d_model, experts, top_k)
        self.experts = nn.ModuleList(SwiGLU(d_model, d_hidden) for _ in range(experts))

    def forward(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens d_model"]:
        """Return the weighted sum of what its experts make of each token."""
        rows = x.flatten(0, 1)
        return self.dispatch(rows, self.router(rows)).view_as(x)

    def dispatch(self, rows: Float[Tensor, "rows d_model"], routing: Routing) -> Float[Tensor, "rows d_model"]:
        """Return the same given the routing: each expert runs once, on the tokens that were sent to it."""
        mixed = torch.zeros_like(rows)
        for number, expert in enumerate(self.experts):
            row, place = torch.where(routing.chosen == number)  # which tokens, and as which of their choices
            if len(row):
                output = expert(rows[row][None])[0] * routing.weights[row, place, None].to(rows.dtype)
                mixed.index_add_(0, row, output)
        return mixed


@contextmanager
def recorded_routing(model: nn.Module) -> Generator[list[Routing]]:
    """Record where each layer of a model sends its tokens, in the order in which they run.

    with recorded_routing(model) as routing:
        logits = model(tokens)
    loss = next_token_loss(logits, tokens) + 0.01 * balance_loss(routing)
    """
    routing: list[Routing] = []

    def keep(module: nn.Module, given: Any, made: Routing) -> None:  # noqa: ARG001
        routing.append(made)

    hooks = [module.register_forward_hook(keep) for module in model.modules() if isinstance(module, Router)]
    try:
        yield routing
    finally:
        for hook in hooks:
            hook.remove()


def balance_of_layer(routing: Routing, real: Bool[Tensor, " rows"] | None = None) -> Float[Tensor, ""]:
    """Return experts * sum over experts of load * probability (Fedus et al. 2021, Switch, equations 4 to 6).

    The load of an expert is the share of tokens that are sent to it; loads add up to top_k. Its probability is the mean
    of the router's softmax; probabilities add up to 1, and the gradient goes through them alone. Where both are even,
    the loss is top_k; where all tokens go to the same experts with certainty, it is the number of experts.

    Args:
        routing: of one layer.
        real: True where a token is real and False where it is padding, which must not count.

    Raises:
        ValueError: no token is real.
    """
    probabilities = routing.logits.float().softmax(dim=-1)
    experts = probabilities.shape[-1]
    counted = probabilities.new_ones(len(probabilities)) if real is None else real.to(probabilities.dtype)
    if not counted.any():
        raise ValueError(f"a balance needs at least one real token; got {len(counted)} rows of padding")
    sent = functional.one_hot(routing.chosen, experts).sum(dim=1).to(probabilities.dtype)  # (rows, experts): 0 or 1
    load, probability = (counted @ each / counted.sum() for each in (sent, probabilities))
    return experts * load @ probability


def balance_loss(layers: Sequence[Routing], real: Bool[Tensor, "batch tokens"] | None = None) -> Float[Tensor, ""]:
    """Return the mean of `balance_of_layer` over the layers.

    Raises:
        ValueError: no layer has experts, or no token is real.
    """
    if not layers:
        raise ValueError("no layer has experts: record the routing of a model that has some, during its forward pass")
    rows = None if real is None else real.flatten()
    return torch.stack([balance_of_layer(layer, rows) for layer in layers]).mean()


def pooled_balance_loss(
    layers: Sequence[Routing], real: Bool[Tensor, "batch tokens"] | None = None
) -> Float[Tensor, ""]:
    """Return the loss that transformers has for Mixtral: all layers count as one layer with more tokens.

    Expert 1 of layer 1 and expert 1 of layer 2 have nothing in common but their number. Layers that are all collapsed,
    each onto other numbers, are balanced by this loss, and it does nothing about them. Errors as in `balance_loss`.
    """
    if not layers:
        raise ValueError("no layer has experts: record the routing of a model that has some, during its forward pass")
    pooled = Routing(*(torch.cat(parts) for parts in zip(*layers, strict=True)))
    return balance_of_layer(pooled, None if real is None else real.flatten().repeat(len(layers)))
