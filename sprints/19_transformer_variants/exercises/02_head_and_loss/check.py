"""Checks of `predict` and `masked_loss`: the head of the note, random ones, and the usual means by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

# A bias that keeps features apart, so that it makes no difference what a layer norm adds to their variance.
APART = torch.tensor([-2.0, 1.0, 3.0, 6.0])


def normalise(x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], eps=1e-12)


def compare_predict(
    learner: Any, hidden: Tensor, weight: Tensor, bias: Tensor, embeddings: Tensor, token_bias: Tensor
) -> None:
    layer = functional.linear(hidden, weight, bias)
    active = functional.gelu(layer)

    def out(x: Tensor) -> Tensor:
        return x @ embeddings.T + token_bias

    centred = active - active.mean(dim=-1, keepdim=True)
    mistakes = {
        "The activation is missing.": out(normalise(layer)),
        "The activation is ReLU; it must be GELU.": out(normalise(layer.relu())),
        "The norm comes before the activation; it must come after.": out(functional.gelu(normalise(layer))),
        "The norm is missing.": out(active),
        "The norm does not divide by the standard deviation.": out(centred),
        "The norm divides by the sum of squares; it must be their mean.": out(
            centred / centred.norm(dim=-1, keepdim=True)
        ),
        "The standard deviation divides by d_model - 1; a layer norm divides by d_model.": out(
            centred / active.std(dim=-1, keepdim=True)
        ),
        "The bias of each token is missing.": normalise(active) @ embeddings.T,
        "The bias of the layer is missing.": out(normalise(functional.gelu(hidden @ weight.T))),
        "The layer's weight is turned around: nn.Linear stores (features out, features in).": out(
            normalise(functional.gelu(hidden @ weight + bias))
        ),
        "The layer is missing: embeddings are multiplied with `hidden` itself.": out(hidden),
        "These are probabilities; logits are asked for.": out(normalise(active)).softmax(dim=-1),
    }
    given = {"hidden": hidden, "weight": weight, "bias": bias, "embeddings": embeddings, "token_bias": token_bias}
    expect(learner.predict, given, out(normalise(active)), mistakes)


def compare_loss(learner: Any, logits: Tensor, tokens: Tensor, chosen: Tensor) -> None:
    losses = functional.cross_entropy(logits.mT, tokens, reduction="none")
    kept = losses.where(chosen, 0.0)
    rows = [row[hit].mean() for row, hit in zip(losses, chosen, strict=True) if hit.any()]
    shifted = functional.cross_entropy(logits[:, :-1].mT, tokens[:, 1:], reduction="none").where(chosen[:, 1:], 0.0)
    mistakes = {
        "The sum is divided by all places; it must be divided by the chosen ones.": kept.mean(),
        "Every place is scored.": losses.mean(),
        "The places that are not chosen are scored.": losses[~chosen].mean(),
        "It is a sum; a mean is asked for.": kept.sum(),
        "It is a mean of the means of rows: every chosen place must weigh the same.": torch.stack(rows).mean(),
        "Labels are shifted as in a GPT: here the logits at a place are about the token at this place.": shifted.sum()
        / chosen[:, 1:].sum(),
        "The sign is wrong: the loss is -ln p.": -losses[chosen].mean(),
        "It is in bits; nats are asked for.": losses[chosen].mean() / math.log(2),
    }
    given = {"logits": logits, "tokens": tokens, "chosen": chosen}
    expect(learner.masked_loss, given, losses[chosen].mean(), mistakes)


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))).mul(10).round().div(10)


def check_the_note(learner: Any) -> None:
    """The head of note 2: whisk, eggs and oil."""
    embeddings = torch.tensor([[1.0, 0, 2], [0, 1, 0], [1, 1, 0]])
    hidden, token_bias = torch.tensor([1.0, 0, 2]), torch.tensor([0.0, 0, 0.5])
    compare_predict(learner, hidden, torch.eye(3), torch.zeros(3), embeddings, token_bias)


def check_a_layer(learner: Any) -> None:
    """A layer that is not the identity, at three places."""
    compare_predict(learner, draw(3, 4), draw(4, 4), APART, draw(5, 4), draw(5))


def check_a_batch(learner: Any) -> None:
    """Two rows of three places."""
    compare_predict(learner, draw(2, 3, 4), draw(4, 4), APART, draw(6, 4), draw(6))


def check_loss_of_the_note(learner: Any) -> None:
    """Three of ten places are chosen; the true token, number 1, has 0.5, 0.2 and 0.9 there."""
    given = torch.tensor([[0.99, 0.3, 0.5, 0.4, 0.2, 0.6, 0.9, 0.99, 0.99, 0.99]])
    logits = torch.stack([torch.zeros_like(given), (given / (1 - given)).log()], dim=-1)
    chosen = torch.tensor([[place in (2, 4, 6) for place in range(10)]])
    compare_loss(learner, logits, torch.ones(1, 10, dtype=torch.long), chosen)


def check_rows_with_different_numbers(learner: Any) -> None:
    """One place of a row is chosen, and three of the other."""
    chosen = torch.tensor([[False, True, False, False], [True, True, False, True]])
    tokens = torch.tensor([[0, 2, 1, 1], [2, 0, 1, 2]])
    compare_loss(learner, draw(2, 4, 3), tokens, chosen)


def check_an_impossible_token(learner: Any) -> None:
    """A place that is not chosen holds a token of probability 0: its infinite loss must not count (0 · ∞ is NaN)."""
    logits = draw(1, 3, 2)
    logits[0, 0] = torch.tensor([0.0, -math.inf])
    compare_loss(learner, logits, torch.tensor([[1, 0, 1]]), torch.tensor([[False, True, True]]))
