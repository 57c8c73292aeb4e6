"""Checks of `mix`: by hand, row by row, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def by_hand(true: Tensor, table: Tensor, coins: Tensor, keep: float) -> Tensor:
    """Return the mixture, token by token."""
    rows = []
    for row, tosses in zip(true.tolist(), coins.tolist(), strict=True):
        mixed = row[:1]
        for token, coin in zip(row[1:], tosses, strict=True):
            mixed.append(token if coin < keep else int(table[mixed[-1]].argmax()))
        rows.append(mixed)
    return torch.tensor(rows)


def compare(learner: Any, true: Tensor, table: Tensor, coins: Tensor, keep: float) -> None:
    right = by_hand(true, table, coins, keep)
    kept = coins < keep
    after_truth = table[true[:, :-1]].argmax(dim=-1)
    same_place = table[true[:, 1:]].argmax(dim=-1)

    def beginning(rest: Tensor) -> Tensor:
        return torch.cat([true[:, :1], rest], dim=1)

    expect(
        learner.mix,
        {"true": true, "table": table, "coins": coins, "keep": keep},
        right,
        {
            "The coins are read the other way round: a coin below `keep` keeps the true token.": by_hand(
                true, table, 1 - coins, 1 - keep
            ),
            "The model's tokens follow the true tokens; they must follow the mixture.": beginning(
                torch.where(kept, true[:, 1:], after_truth)
            ),
            "The model is asked after the token of the same place, which it would replace.": beginning(
                torch.where(kept, true[:, 1:], same_place)
            ),
            "The first token is left out.": right[:, 1:],
            "Nothing is mixed: these are the true tokens.": true,
            "All tokens are the model's.": by_hand(true, table, coins, -1.0),
            "One coin is thrown for the whole row.": by_hand(true, table, coins[:, :1].expand_as(coins), keep),
        },
    )


TABLE = 4.0 * torch.eye(6)[[0, 3, 0, 5, 3, 4]]


def check_one_row(learner: Any) -> None:
    """One row; the model says 3 after 1, 5 after 3, 4 after 5, 3 after 4."""
    coins = torch.tensor([[0.2, 0.9, 0.9, 0.1]])
    compare(learner, torch.tensor([[1, 4, 3, 5, 4]]), TABLE, coins, 0.5)


def check_two_rows(learner: Any) -> None:
    """Two rows with coins of their own."""
    coins = torch.tensor([[0.7, 0.7, 0.1, 0.7], [0.1, 0.7, 0.7, 0.7]])
    compare(learner, torch.tensor([[1, 5, 4, 3, 3], [1, 4, 4, 4, 5]]), TABLE, coins, 0.3)


def check_keep_all(learner: Any) -> None:
    """`keep` is 1: teacher forcing."""
    compare(learner, torch.tensor([[1, 4, 3, 5]]), TABLE, torch.tensor([[0.0, 0.5, 0.99]]), 1.0)


def check_keep_nothing(learner: Any) -> None:
    """`keep` is 0: a free run behind the first token."""
    compare(learner, torch.tensor([[1, 4, 4, 4]]), TABLE, torch.tensor([[0.0, 0.5, 0.99]]), 0.0)
