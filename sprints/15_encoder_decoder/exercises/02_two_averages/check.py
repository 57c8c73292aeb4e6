"""Checks of `two_averages`: by summing over whole answers, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def whole(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    """Return the two sums, answer by answer."""
    data = own = 0.0
    for i in range(len(p_first)):
        for j in range(len(p_first)):
            logs = math.log(p_first[i] / q_first[i]), math.log(p_next[i, j] / q_next[i, j])
            data += (p_first[i] * p_next[i, j]).item() * sum(logs)
            own += (p_first[i] * p_next[i, j]).item() * logs[0] + (q_first[i] * p_next[i, j]).item() * logs[1]
    return torch.tensor([data, own])


def compare(learner: Any, *tables: Tensor) -> None:
    p_first, q_first, p_next, q_next = tables
    right = whole(*tables)
    first = (p_first * (p_first / q_first).log()).sum()
    after = (p_next * (p_next / q_next).log()).sum(dim=-1)
    turned = (q_next * (q_next / p_next).log()).sum(dim=-1)
    turned_first = (q_first * (q_first / p_first).log()).sum()
    expect(
        learner.two_averages,
        dict(zip(("p_first", "q_first", "p_next", "q_next"), tables, strict=True)),
        right,
        {
            "The two are in the wrong order: the data's prefixes come first.": right.flip(0),
            "The first place is left out.": right - first,
            "Both averages are over the task's symbols; the model's own prefixes have the model's weights.": right[
                [0, 0]
            ],
            "Both averages are over the model's symbols.": right[[1, 1]],
            "The divergence is turned around: p is what is averaged over, p log(p / q).": turned_first
            + torch.stack([p_first @ turned, q_first @ turned]),
            "The prefixes are not weighted: each first symbol counts with its probability.": (first + after.mean())
            * torch.ones(2),
            "The divergences after all first symbols are added without weights.": (first + after.sum()) * torch.ones(2),
            "It is in bits: take natural logarithms.": right / math.log(2),
            "It is the mean over the places; here the sum is asked for.": right / 2,
            "The first place is weighted with q on own prefixes; its divergence is an average over p in both.": (
                torch.stack([first + p_first @ after, (q_first * (p_first / q_first).log()).sum() + q_first @ after])
            ),
        },
    )


def check_the_note(learner: Any) -> None:
    """The unsure model of note 5."""
    p_next, q_next = torch.tensor([[0.9, 0.1], [0.1, 0.9]]), torch.tensor([[0.8, 0.2], [0.6, 0.4]])
    compare(learner, torch.tensor([0.9, 0.1]), torch.tensor([0.7, 0.3]), p_next, q_next)


def check_the_sure_model(learner: Any) -> None:
    """The sure one, which does not go where it is bad."""
    p_next, q_next = torch.tensor([[0.9, 0.1], [0.1, 0.9]]), torch.tensor([[0.8, 0.2], [0.6, 0.4]])
    compare(learner, torch.tensor([0.9, 0.1]), torch.tensor([0.99, 0.01]), p_next, q_next)


def check_three_symbols(learner: Any) -> None:
    """Three symbols with drawn probabilities."""
    generator = torch.Generator().manual_seed(2)
    rows = torch.randint(1, 10, (8, 3), generator=generator).float()
    rows = rows / rows.sum(dim=1, keepdim=True)
    compare(learner, rows[0], rows[1], rows[2:5], rows[5:8])


def check_a_perfect_model(learner: Any) -> None:
    """A model that equals the task diverges by nothing."""
    first, following = torch.tensor([0.75, 0.25]), torch.tensor([[0.5, 0.5], [0.125, 0.875]])
    expect(
        learner.two_averages,
        {"p_first": first, "q_first": first, "p_next": following, "q_next": following},
        torch.zeros(2),
    )
