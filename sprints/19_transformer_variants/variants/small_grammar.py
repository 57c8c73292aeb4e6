"""A grammar whose texts can all be written down, so that every conditional probability is a sum over a table.

A text is a tiny recipe of twenty-two words (marks count), eight of which vary:

    hot stew with beans and corn : first the beans , then the corn , for fifty minutes , beside yoghurt .

Vegetables that cook long come first, and they decide on the minutes; the taste of the title decides on what is eaten
beside it. A word is a token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from shared.text.grammar import Choice, Pen, choice, derivations

SLOW, QUICK = ("beans", "beets", "roots"), ("corn", "leeks", "peas")
TASTE = Choice(["mild ", "hot "], [2, 1])
DISH = Choice(["soup", "stew", "curry"], [2, 1, 1])
MINUTES = {True: choice("forty", "fifty"), False: choice("ten", "twelve")}
BESIDE = {"mild ": Choice(["rice", "bread"], [3, 1]), "hot ": choice("rice", "yoghurt")}


def write_recipe(pen: Pen) -> None:
    """Write one tiny recipe with the pen: this function is the whole grammar."""
    taste = TASTE.texts[pen.choose(TASTE)]
    pen.choose(DISH)
    pen.write(" with ")
    vegetables = (*SLOW, *QUICK)
    first = vegetables[pen.choose(choice(*vegetables))]
    pen.write(" and ")
    others = tuple(vegetable for vegetable in vegetables if vegetable != first)
    second = others[pen.choose(choice(*others))]
    pen.write(" : first the ")
    slow = [vegetable for vegetable in (first, second) if vegetable in SLOW]
    # Of a slow and a quick one the slow one comes first; of two alike either may.
    options = slow if len(slow) == 1 else [first, second]
    earlier = options[pen.choose(choice(*options))]
    pen.write(f" , then the {second if earlier == first else first} , for ")
    pen.choose(MINUTES[bool(slow)])
    pen.write(" minutes , beside ")
    pen.choose(BESIDE[taste])
    pen.write(" .")


@dataclass(frozen=True)
class TextTable:
    """All texts of a grammar as rows of words of the same length, and the probability of each.

    Args:
        words: what each token stands for.
        rows: tokens of each text, (texts, places).
        chances: probability of each text, (texts,); they add up to 1.
    """

    words: tuple[str, ...]
    rows: np.ndarray
    chances: np.ndarray

    @cached_property
    def varying(self) -> list[int]:
        """The places at which not every text has the same word; only these can cost anything."""
        return [place for place in range(self.rows.shape[1]) if len(set(self.rows[:, place].tolist())) > 1]

    def draw(self, number: int, generator: torch.Generator) -> Int[Tensor, "number places"]:
        """Return so many texts drawn from the grammar."""
        chosen = torch.multinomial(torch.from_numpy(self.chances), number, replacement=True, generator=generator)
        return torch.from_numpy(self.rows)[chosen]

    def text(self, row: list[int]) -> str:
        """Return the words of a row."""
        return " ".join(self.words[token] for token in row)

    def nats_of_text(self, row: np.ndarray) -> float:
        """Return -ln p of a whole text (infinite if the grammar cannot write it)."""
        chance = self.chances[(self.rows == row).all(axis=1)].sum()
        return float(-np.log(chance)) if chance > 0 else float("inf")

    def distribution(self, row: np.ndarray, seen: np.ndarray, place: int) -> np.ndarray:
        """Return p(word at a place | the words at the places that are seen), (words,).

        Args:
            row: tokens of a text; only those that are seen count.
            seen: True where a word is seen, (places,).
            place: which word is asked for.

        Raises:
            ValueError: no text of the grammar has these words.
        """
        fits = (self.rows[:, seen] == row[seen]).all(axis=1)
        mass = np.bincount(self.rows[fits, place], self.chances[fits], len(self.words))
        if mass.sum() == 0:
            known = ", ".join(self.words[token] for token in row[seen])
            raise ValueError(f"what is seen must be a part of a text of the grammar; got {known}: draw it from there")
        return mass / mass.sum()

    def optimal_nats(
        self, rows: Int[Tensor, "batch places"], hidden: Bool[Tensor, "batch places"]
    ) -> Float[Tensor, "batch places"]:
        """Return -ln p(word | the words that are not hidden) at each hidden place, and 0 at the others."""
        nats = torch.zeros(rows.shape, dtype=torch.float64)
        for index, (row, holes) in enumerate(zip(rows.numpy(), hidden.numpy(), strict=True)):
            fits = (self.rows[:, ~holes] == row[~holes]).all(axis=1)
            chances, texts = self.chances[fits], self.rows[fits]
            same = texts[:, holes] == row[holes]  # (texts that fit, holes)
            nats[index, holes] = torch.from_numpy(-np.log(chances @ same / chances.sum()))
        return nats.abs()  # -ln 1 is a zero with a sign

    def entropy(self, places: list[int]) -> float:
        """Return the entropy of the words at some places together, in nats."""
        group = np.zeros(len(self.rows), dtype=np.int64)
        for place in set(places) & set(self.varying):  # the others never say anything
            _, group = np.unique(group * len(self.words) + self.rows[:, place], return_inverse=True)
        mass = np.bincount(group, self.chances)
        return float(-(mass * np.log(mass)).sum())

    def cost_in_order(self, row: np.ndarray, order: list[int]) -> list[float]:
        """Return what each word costs, in nats, if the words are revealed in an order: -ln p(word | those before).

        Args:
            row: tokens of a text.
            order: all places, each once.
        """
        seen, nats = np.zeros(len(row), dtype=bool), []
        for place in order:
            nats.append(float(abs(np.log(self.distribution(row, seen, place)[row[place]]))))
            seen[place] = True
        return nats


def table_of(grammar: Callable[[Pen], object]) -> TextTable:
    """Return the table of a small grammar whose texts have the same number of words.

    Raises:
        ValueError: texts of different lengths.
    """
    found = [(text.split(), log_prob) for text, log_prob in derivations(grammar)]
    lengths = sorted({len(words) for words, _ in found})
    if len(lengths) > 1:
        raise ValueError(f"all texts of the table must have as many words; got {lengths[0]} to {lengths[-1]}: pad them")
    words = tuple(sorted({word for text, _ in found for word in text}))
    number = {word: token for token, word in enumerate(words)}
    rows = np.array([[number[word] for word in text] for text, _ in found])
    return TextTable(words, rows, np.exp([log_prob for _, log_prob in found]))


@cache
def small_recipes() -> TextTable:
    """Return all tiny recipes."""
    return table_of(write_recipe)
