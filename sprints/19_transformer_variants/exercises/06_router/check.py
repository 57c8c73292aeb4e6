"""Checks of the router and its balance loss: the four words of note 14, padding, the gradient, and usual mistakes."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect
from shared.nn.mixture_of_experts import Routing, balance_of_layer
from shared.nn.mixture_of_experts import route as reference

WORDS = torch.tensor([[2.0, 1, 0, -2], [1, 0.5, 0, -1], [2, 1.5, 1, -3], [0, 1, 2, -2]])
EVERY = torch.ones(4, dtype=torch.bool)


def dense(routing: Routing) -> Tensor:
    return torch.zeros_like(routing.logits).scatter(-1, routing.chosen, routing.weights)


def route_mistakes(logits: Tensor, top_k: int) -> dict[str, Tensor]:
    probabilities, chosen = logits.softmax(dim=-1), reference(logits, top_k).chosen
    keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, chosen, value=True)
    upside = reference(-logits, top_k)
    return {
        "The probabilities of the chosen experts are not divided by their sum.": probabilities * keep,
        "The scores of the others become 0, but e^0 = 1 is a weight as well.": (logits * keep).softmax(dim=-1),
        "The chosen experts share equally: their probabilities must weigh them.": keep / top_k,
        "The scores are divided by their sum; the exponential is missing.": logits * keep
        / (logits * keep).sum(dim=-1, keepdim=True),
        "All experts keep a weight.": probabilities,
        "These are the experts with the lowest scores.": dense(upside),
        "The largest are looked for among the tokens: an expert picks tokens. A token must pick experts.": dense(
            reference(logits.T, min(top_k, len(logits)))
        ).T,
    }  # fmt: skip


def check_four_words(learner: Any) -> None:
    """The four words of note 14, each sent to two of four experts."""
    expect(learner.route, {"logits": WORDS, "top_k": 2}, dense(reference(WORDS, 2)), route_mistakes(WORDS, 2))


def check_other_sizes(learner: Any) -> None:
    """One expert a token, and all of them."""
    logits = torch.tensor([[0.5, 2, -1], [-3, -2, -2.5]])
    for top_k in (1, 3):
        given = {"logits": logits, "top_k": top_k}
        expect(learner.route, given, dense(reference(logits, top_k)), route_mistakes(logits, top_k))


def balance_mistakes(logits: Tensor, top_k: int, real: Tensor) -> dict[str, Tensor]:
    routing, experts = reference(logits, top_k), logits.shape[1]
    value = balance_of_layer(routing, real)
    sent = (dense(routing) > 0).float()
    load, probability = sent[real].mean(dim=0), logits.softmax(dim=-1)[real].mean(dim=0)
    first = dense(reference(logits, 1)).gt(0).float()[real].mean(dim=0)
    return {
        "Padding is counted: it is no token.": balance_of_layer(routing),
        "Padding is left out of the sums, but they are divided by all tokens.": value * real.float().mean() ** 2,
        "The number of experts is missing as a factor.": value / experts,
        "The loads are divided by top_k: they must add up to top_k, and balance has the value top_k.": value / top_k,
        "The load counts first choices alone: a token is sent to `top_k` experts.": experts * first @ probability,
        "Loads are multiplied by loads: what has no gradient teaches nothing.": experts * load @ load / top_k,
        "Loads are multiplied by loads: what has no gradient teaches nothing. ": experts * load @ load,
        "Probabilities are multiplied by probabilities; one factor must be the load.": experts
        * probability @ probability,
        "The mean weights are taken instead of the mean probabilities: also experts that are not chosen count.": experts
        * load @ dense(routing)[real].mean(dim=0),
    }  # fmt: skip


def compare(learner: Any, logits: Tensor, top_k: int, real: Tensor) -> None:
    given = {"logits": logits, "top_k": top_k, "real": real}
    expected = balance_of_layer(reference(logits, top_k), real)
    expect(learner.balance_loss, given, expected, balance_mistakes(logits, top_k, real))


def check_balance_of_four_words(learner: Any) -> None:
    """The balance loss of the four words."""
    compare(learner, WORDS, 2, EVERY)


def check_padding(learner: Any) -> None:
    """The last two of six tokens are padding."""
    logits = torch.cat([WORDS, torch.tensor([[0.0, 0, 0, 4], [0, 0, 0, 4]])])
    compare(learner, logits, 2, torch.tensor([True] * 4 + [False] * 2))
    compare(learner, logits, 1, torch.tensor([True] * 4 + [False] * 2))


def check_gradient(learner: Any) -> None:
    """The gradient with respect to the logits."""

    def gradient(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
        leaf = logits.clone().requires_grad_()
        loss = learner.balance_loss(leaf, top_k, real)
        if not loss.requires_grad:
            return torch.zeros_like(logits)
        return torch.autograd.grad(loss, leaf)[0]

    leaf = WORDS.clone().requires_grad_()
    expected = torch.autograd.grad(balance_of_layer(reference(leaf, 2), EVERY), leaf)[0]
    cut = "No gradient flows back to the logits: keep the probabilities as they come out of the softmax."
    expect(gradient, {"logits": WORDS, "top_k": 2, "real": EVERY}, expected, {cut: torch.zeros_like(WORDS)})
