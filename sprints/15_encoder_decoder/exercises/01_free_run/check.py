"""Checks of `free_run`: beside the library's `decode`, and the usual mistakes by name."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from shared.generation.beam_search import decode
from shared.lab.checking import expect


class Table:
    """What `decode` needs of a model: rows that start as they are told and look at their last token only."""

    def __init__(self, table: Tensor, first: Tensor, end: int) -> None:
        self.table, self.first = table, first
        self.config = SimpleNamespace(begin_token=0, end_token=end, target_vocab=len(table))

    def __call__(self, source: Tensor, target: Tensor, source_mask: Any = None) -> Tensor:  # noqa: ARG002
        """Return the logits of the token after each target token."""
        started = torch.cat([self.first[:, None], target[:, 1:]], dim=1)
        return self.table[started]

    def incremental(self, source: Any, source_mask: Any, max_tokens: int, width: int = 1) -> Any:
        """Is not used: the table is asked without a cache."""
        raise NotImplementedError


def library(table: Tensor, first: Tensor, end: int, most: int) -> Tensor:
    """Return what the library says."""
    source = torch.zeros(len(first), 1, dtype=torch.long)
    tokens = decode(Table(table, first, end), source, max_new_tokens=most, use_cache=False).tokens.clone()
    tokens[:, 0] = first
    return tokens


def careless(table: Tensor, first: Tensor, end: int, most: int, *, stop: str, pad: bool, least: bool = False) -> Tensor:
    """Return what a loop says that stops when any, all or no rows have ended, and may go on after the end."""
    tokens, ended = first[:, None], torch.zeros_like(first, dtype=torch.bool)
    for _ in range(most):
        logits = -table if least else table
        said = logits[tokens[:, -1]].argmax(dim=-1)
        said = said.masked_fill(ended, 0) if pad else said
        tokens = torch.cat([tokens, said[:, None]], dim=1)
        ended = ended | (said == end)
        if (stop == "any" and ended.any()) or (stop == "all" and ended.all()):
            break
    return tokens


def compare(learner: Any, table: Tensor, first: Tensor, end: int, most: int) -> None:
    right = library(table, first, end, most)
    given = {"table": table, "first": first, "end": end, "most": most}
    expect(
        learner.free_run,
        given,
        right,
        {
            "The first token is left out; it belongs to the answer.": right[:, 1:],
            "A row that has ended goes on; it must be 0 from there.": careless(
                table, first, end, most, stop="all", pad=False
            ),
            "It never stops before `most`, and ended rows go on.": careless(
                table, first, end, most, stop="no", pad=False
            ),
            "It stops when the first row has ended; the others are not done.": careless(
                table, first, end, most, stop="any", pad=True
            ),
            "It goes on to `most` although all rows have ended.": careless(
                table, first, end, most, stop="no", pad=True
            ),
            "The least probable token is taken.": careless(table, first, end, most, stop="all", pad=True, least=True),
            "Every token is asked for after the first one; each must be asked for after the one before it.": torch.cat(
                [first[:, None], table[first].argmax(dim=-1)[:, None].expand(-1, right.shape[1] - 1)], dim=1
            ),
            "There is one new token too many.": library(table, first, end, most + 1),
            "There is one new token too few.": library(table, first, end, most - 1),
        },
    )


def chain(*following: int) -> Tensor:
    """Return a table in which each token is followed by one of these."""
    return 5.0 * torch.eye(len(following))[list(following)]


def check_one_row(learner: Any) -> None:
    """One row: 1 is followed by 3, 3 by 4, 4 by the end, which is 2."""
    compare(learner, chain(0, 3, 1, 4, 2), torch.tensor([1]), 2, 6)


def check_rows_end_at_different_times(learner: Any) -> None:
    """Three rows end after one, two and three tokens; the end would be followed by 1."""
    compare(learner, chain(0, 3, 1, 4, 2), torch.tensor([1, 3, 4]), 2, 6)


def check_a_row_that_never_ends(learner: Any) -> None:
    """One row ends, the other runs in a circle until there is no room."""
    compare(learner, chain(0, 3, 1, 4, 3), torch.tensor([1, 3]), 2, 4)


def check_logits(learner: Any) -> None:
    """Drawn logits, some of them negative."""
    table = torch.randn(6, 6, generator=torch.Generator().manual_seed(1)).mul(10).round()
    compare(learner, table, torch.tensor([1, 3, 4, 5]), 2, 5)
