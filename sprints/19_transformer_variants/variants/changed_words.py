"""Recipes of a small grammar of which half have one word changed, and the exact chance of each word to be that one.

It is the question of the spoiled recipes of sprint 11, for texts that can all be written down: here Bayes' rule is a
sum over a table, for a reader of the whole text and for one that has read its beginning alone.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from variants.small_grammar import TextTable


@dataclass(frozen=True)
class Changer:
    """Changes one word of a text with a probability: the place is drawn among those that vary, all alike.

    The new word is drawn among the other ones that the grammar writes at this place, all alike.

    Args:
        table: all texts and their probabilities.
        share: probability that a text is changed.
    """

    table: TextTable
    share: float = 0.5

    @cached_property
    def words(self) -> dict[int, np.ndarray]:
        """The words of each place that varies."""
        return {place: np.unique(self.table.rows[:, place]) for place in self.table.varying}

    def draw(
        self, number: int, generator: torch.Generator
    ) -> tuple[Int[Tensor, "number places"], Bool[Tensor, "number places"]]:
        """Return texts, and which word of each was changed: one or none."""
        rows, varying = self.table.draw(number, generator), self.table.varying
        changed = torch.zeros(rows.shape, dtype=torch.bool)
        spoiled = torch.rand(number, generator=generator) < self.share
        where = torch.randint(len(varying), (number,), generator=generator)
        chance = torch.rand(number, generator=generator)
        for index, place in enumerate(varying):
            chosen = spoiled & (where == index)
            words = torch.from_numpy(self.words[place])
            # Counted on from the word that is there, so that another one comes.
            there = torch.searchsorted(words, rows[chosen, place].contiguous())
            steps = 1 + (chance[chosen] * (len(words) - 1)).long()
            rows[chosen, place] = words[(there + steps) % len(words)]
            changed[chosen, place] = True
        return rows, changed

    def posterior(self, row: np.ndarray, seen: int) -> np.ndarray:
        """Return P(the word at a place was changed | the first `seen` words), (places,).

        A text of the grammar that differs from what is seen at one place alone may be what was there before the change:

            P(changed at i, seen) = share / (n (k_i - 1)) * sum of P(beginning) that differ at i alone

        with n places that vary and k_i words at place i. What was not changed, or is changed later, begins as it is
        seen.
        """
        table, varying, n = self.table, np.array(self.table.varying), len(self.table.varying)
        read = varying[varying < seen]
        other = table.rows[:, read] != row[read]  # (texts, places read that vary)
        differences = other.sum(axis=1)
        same = table.chances[differences == 0].sum()
        once = table.chances[differences == 1] @ other[differences == 1]  # by place
        others = np.array([len(self.words[place]) - 1 for place in read])
        mass = np.zeros(table.rows.shape[1])
        mass[read] = self.share / n / others * once
        untouched = (1 - self.share) * same + self.share * (n - len(read)) / n * same
        return mass / (mass.sum() + untouched)

    def optima(
        self, rows: Int[Tensor, "batch places"]
    ) -> tuple[Float[Tensor, "batch places"], Float[Tensor, "batch places"]]:
        """Return P(changed | the whole text), and P(changed | the words up to and with this one), of each word."""
        places = rows.shape[1]
        whole, begun = np.zeros(rows.shape), np.zeros(rows.shape)
        for index, row in enumerate(rows.numpy()):
            whole[index] = self.posterior(row, places)
            for place in self.table.varying:
                begun[index, place] = self.posterior(row, place + 1)[place]
        return torch.from_numpy(whole), torch.from_numpy(begun)
