"""Checks of documents apart: each function on small rows, with the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

ROWS = {
    "two documents": [[0, 0, 1, 1, 1, -1]],
    "one of one token": [[0, 1, 2, 2, 2, 2]],
    "two rows": [[0, 0, 0, 0, 1, 1], [0, 1, 1, 1, -1, -1]],
}


def positions(documents: Tensor) -> Tensor:
    found = torch.zeros_like(documents)
    for row, numbers in enumerate(documents.tolist()):
        for place, number in enumerate(numbers):
            found[row, place] = numbers[:place].count(number) if number >= 0 else 0
    return found


def position_mistakes(documents: Tensor) -> dict[str, Tensor]:
    through = torch.arange(documents.shape[1]).expand_as(documents).clone()
    counted = positions(documents)
    padding = torch.stack([torch.arange(documents.shape[1]) - numbers.ne(-1).sum() for numbers in documents])
    return {
        "Positions go on through the row: they must begin again with each document.": through,
        "Positions go on through the row: they must begin again, and only padding has 0.": torch.where(
            documents < 0, 0, through
        ),
        "The first token of a document is at position 0, not 1.": torch.where(documents < 0, 0, counted + 1),
        "The padding has to have position 0: no model has others to spare.": torch.where(
            documents < 0, padding, counted
        ),
        "Padding goes on counting where the last document ends: give it position 0.": torch.where(
            documents < 0, through, counted
        ),
        "These are places at which documents begin: take them from the places.": through - counted,
    }


def mask(documents: Tensor) -> Tensor:
    past = torch.ones(documents.shape[1], documents.shape[1], dtype=torch.bool).tril()
    return (documents[:, :, None] == documents[:, None, :]) & past & (documents >= 0)[:, :, None]


def mask_mistakes(documents: Tensor) -> dict[str, Tensor]:
    tokens, right = documents.shape[1], mask(documents)
    past = torch.ones(tokens, tokens, dtype=torch.bool).tril().expand_as(right)
    same = documents[:, :, None] == documents[:, None, :]
    real = (documents >= 0)[:, :, None] & (documents >= 0)[:, None, :]
    earlier = documents[:, :, None] >= documents[:, None, :]
    return {
        "It is inverted: True means that a query may look.": ~right,
        "Every document before it is seen: is the comparison == ?": earlier & past & real,
        "The future of the document is seen: keep the lower triangle only.": same & real,
        "Padding sees padding: -1 is equal to -1, but is no document.": same & past,
        "A token cannot see itself.": same & real & past.tril(-1),
        "Only the causal half is there: the documents do not count.": past,
        "Queries and keys are exchanged: a query is a row of the mask.": right.mT,
    }


def target_mistakes(documents: Tensor) -> dict[str, Tensor]:
    counted, through = positions(documents), torch.arange(documents.shape[1]).expand_as(documents)
    real = documents >= 0
    return {
        "The first token of a document is no target: what stands before it is another document.": real & (through > 0),
        "Padding is no target.": torch.where(real, counted > 0, True),
        "Of all documents the first token counts too: nothing of its own predicts it.": real,
        "Only the first tokens are marked: it is the other way round.": real & (counted == 0),
        "It marks the tokens that have a next one: a target is what is predicted, one place later.": torch.cat(
            [counted[:, 1:] > 0, torch.zeros_like(real[:, :1])], dim=1
        ),
    }


def check_positions(learner: Any) -> None:
    """Positions begin again with each document, and in each row."""
    for rows in ROWS.values():
        documents = torch.tensor(rows)
        expect(learner.positions_of, {"documents": documents}, positions(documents), position_mistakes(documents))


def check_mask(learner: Any) -> None:
    """A token sees itself and what stands before it in its own document."""
    for rows in ROWS.values():
        documents = torch.tensor(rows)
        expect(learner.mask_of, {"documents": documents}, mask(documents), mask_mistakes(documents))


def check_targets(learner: Any) -> None:
    """What is predicted from its own document."""
    for rows in ROWS.values():
        documents = torch.tensor(rows)
        expect(learner.targets_of, {"documents": documents}, positions(documents) > 0, target_mistakes(documents))
