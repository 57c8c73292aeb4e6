"""The best possible judge of ELECTRA (Clark et al. 2020): how probable is it that a word was replaced?

A place is eligible with probability r. A generator writes a word into each eligible place, given the words at the other
places; where it happens to write the word that was there, nothing was replaced. The judge sees the result.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from variants.small_grammar import TextTable


def chance_of_replacement(true: float, written: float, eligible: float) -> float:
    """Return P(replaced | the judge sees this word), where one place alone is eligible.

        r q (1 - p) / ((1 - r) p + r q), which is r (1 - p) for an exact generator, q = p

    Args:
        true: p, the probability of the word at this place given all other words.
        written: q, the probability that the generator writes it.
        eligible: r, the probability that the place is given to the generator.

    Raises:
        ValueError: a number outside 0 to 1, or a word that nobody would have put there.
    """
    if not all(0 <= number <= 1 for number in (true, written, eligible)):
        raise ValueError(f"probabilities are from 0 to 1; got {true}, {written} and {eligible}")
    seen = (1 - eligible) * true + eligible * written
    if seen == 0:
        raise ValueError(f"the judge never sees a word of probability 0; got {true} and {written}: take another word")
    return eligible * written * (1 - true) / seen


@dataclass(frozen=True)
class Forger:
    """The generator: it writes into the eligible places of a text of the table, each place by itself.

    Args:
        table: all texts and their probabilities.
        eligible: probability of each place to be eligible.
        exact: write by p(word | words at the places that are not eligible); otherwise by p(word at this place) alone.
    """

    table: TextTable
    eligible: float
    exact: bool = True

    def forge(
        self, rows: Int[Tensor, "batch places"], generator: torch.Generator
    ) -> tuple[Int[Tensor, "batch places"], Bool[Tensor, "batch places"]]:
        """Return what the judge sees, and where a word was replaced by another one."""
        table, varying = self.table, self.table.varying
        holes = torch.rand(rows.shape, generator=generator) < self.eligible
        texts, chances = torch.from_numpy(table.rows), torch.from_numpy(table.chances)
        weights = chances.expand(len(rows), -1)  # (batch, texts)
        if self.exact:
            same = rows[:, None, varying] == texts[:, varying]  # (batch, texts, varying)
            weights = weights * (same | holes[:, None, varying]).all(dim=-1)
        forged = rows.clone()
        for place in varying:
            # A word of a text that is drawn by the texts' probabilities is drawn by its own.
            drawn = torch.multinomial(weights, 1, generator=generator)[:, 0]
            forged[:, place] = torch.where(holes[:, place], texts[drawn, place], rows[:, place])
        return forged, forged != rows

    def optimal(self, forged: Int[Tensor, "batch places"]) -> Float[Tensor, "batch places"]:
        """Return P(replaced | the whole forged text) of each word, exactly: what the best possible judge says.

        Summed over all sets M of eligible places that may have been:

            P(M | y) is proportional to r^|M| (1 - r)^(n - |M|) P(y outside M) * product over i in M of q_i(y_i)
            P(replaced at i | y, M) = 1 - p(y_i | y outside M) for i in M, else 0

        Places at which every text has the same word are left out: nothing can be replaced there.
        """
        table, varying = self.table, self.table.varying
        sets = np.array(list(product([False, True], repeat=len(varying))))  # (sets, varying), True: eligible
        prior = np.where(sets, self.eligible, 1 - self.eligible).prod(axis=1)
        said = torch.zeros(forged.shape, dtype=torch.float64)
        for index, row in enumerate(forged.numpy()):
            same = table.rows[:, varying] == row[varying]  # (texts, varying)
            # A text fits a set of eligible places if it has the same words at all others.
            fits = ~np.einsum("sv,tv->st", ~sets, ~same)  # (sets, texts)
            outside = fits @ table.chances  # P(y outside M)
            inside = (fits * table.chances) @ same  # P(y_i and y outside M)
            with np.errstate(invalid="ignore"):
                true = np.where(outside[:, None] > 0, inside / outside[:, None], 0.0)
            written = true if self.exact else (table.chances @ same)[None]
            weight = prior * outside * np.where(sets, written, 1.0).prod(axis=1)
            replaced = np.where(sets, 1 - true, 0.0)
            said[index, varying] = torch.from_numpy(weight @ replaced / weight.sum())
        return said


def judge_nats(said: Float[Tensor, "..."], replaced: Bool[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return what a judge loses at each place, in nats, who said so probable a replacement is: binary cross-entropy."""
    return -torch.where(replaced, said, 1 - said).log().clamp(min=-100)
