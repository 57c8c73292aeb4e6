"""A made-up world of persons whose records have errors of a known law, so that the best decision is known.

Each property of a person is drawn from a prior, and what a record says of it comes out of a channel: the property as it
is, a nickname, an initial, a slip of the pen, nothing. Both are known, so the likelihood ratio of two records can be
computed, and by Neyman and Pearson's lemma no other rule for single pairs does better.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase

import torch
from jaxtyping import Float64
from torch import Tensor

FIRST_YEAR, YEARS = 1945, 60
FIELDS = ("first", "last", "born", "town", "about")


@dataclass(frozen=True)
class Sighting:
    """A record of a person; what it does not say is empty."""

    first: str
    last: str
    born: str
    town: str
    about: str  # words that stand around the name


@dataclass(frozen=True)
class Channel:
    """A property: its values, how frequent each is, and what is written for it how often."""

    values: tuple[str, ...]
    prior: Float64[Tensor, " values"]
    written: tuple[Mapping[str, float], ...]  # for each value
    draws: int = 1  # so many times something is written, one after another, with spaces between

    def likelihoods(self, text: str) -> Float64[Tensor, " values"]:
        """Return how likely each value is to be written so."""
        pieces = text.split(" ") if self.draws > 1 else [text]
        rows = [[table.get(piece, 0.0) for table in self.written] for piece in pieces]
        return torch.tensor(rows, dtype=torch.float64).prod(dim=0)

    def profile(self, text: str) -> Float64[Tensor, " values"]:
        """Return sqrt(P(v)) · P(text | v) / P(text): the product of two of them, summed over v, is their ratio.

        Raises:
            ValueError: no value is ever written so.
        """
        joint = self.prior * self.likelihoods(text)
        if not joint.sum():
            raise ValueError(f"the channel must be able to write what stands in a record; got {text!r}")
        return joint / joint.sum() / self.prior.sqrt()

    def write(self, value: int, generator: torch.Generator) -> str:
        """Draw what a record says of one of the values."""
        texts, chances = zip(*self.written[value].items(), strict=True)
        weights = torch.tensor(chances, dtype=torch.float64)
        drawn = torch.multinomial(weights, self.draws, replacement=True, generator=generator)
        return " ".join(texts[place] for place in drawn.tolist())


def zipf(count: int, exponent: float = 1.0) -> Float64[Tensor, " count"]:
    """Return frequencies in proportion to 1 / rank^exponent."""
    weights = torch.arange(1, count + 1, dtype=torch.float64) ** -exponent
    return weights / weights.sum()


def slips(word: str) -> dict[str, float]:
    """Return what one slip of the pen makes of a word, and how likely each is.

    A letter is replaced, is left out, comes in addition, or changes places with the next: a quarter each; the place and
    the letter are uniform.
    """
    letters, chances = len(word), dict[str, float]()

    def add(results: list[str]) -> None:
        for result in results:
            chances[result] = chances.get(result, 0.0) + 0.25 / len(results)

    add([word[:i] + other + word[i + 1 :] for i in range(letters) for other in ascii_lowercase if other != word[i]])
    add([word[:i] + word[i + 1 :] for i in range(letters)])
    add([word[:i] + other + word[i:] for i in range(letters + 1) for other in ascii_lowercase])
    add([word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(letters - 1)])
    return chances


def mixture(*parts: tuple[float, Mapping[str, float]]) -> dict[str, float]:
    """Return a mixture of laws, each with its share."""
    mixed: dict[str, float] = {}
    for share, law in parts:
        for text, chance in law.items():
            mixed[text] = mixed.get(text, 0.0) + share * chance
    return mixed


@cache
def words() -> dict:
    """Return the lists of `persons.toml`."""
    return tomllib.loads((Path(__file__).parent / "persons.toml").read_text())


def first_names() -> Channel:
    """First names: 68 in 100 as they are, else an initial, a nickname, a slip of the pen, or nothing."""
    names, nicknames = words()["first"].split(), words()["nicknames"]

    def law(name: str) -> dict[str, float]:
        short = nicknames.get(name, [name])
        called = {nickname: 1 / len(short) for nickname in short}
        return mixture(
            (0.68, {name: 1.0}), (0.12, {name[0] + ".": 1.0}), (0.1, called), (0.05, slips(name)), (0.05, {"": 1.0})
        )

    return Channel(tuple(names), zipf(len(names)), tuple(law(name) for name in names))


def last_names() -> Channel:
    """Surnames: 93 in 100 as they are, else a slip of the pen, or nothing."""
    # Not ordered by their beginnings: a frequent name has no more frequent neighbours than a rare one.
    pairs = [start + end for start in words()["beginnings"].split() for end in words()["endings"].split()]
    mixed = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0)).tolist()
    names = ["smith", *(pairs[place] for place in mixed)]
    written = tuple(mixture((0.93, {name: 1.0}), (0.05, slips(name)), (0.02, {"": 1.0})) for name in names)
    return Channel(tuple(names), zipf(len(names)), written)


def years() -> Channel:
    """Years of birth: uniform; 62 in 100 as they are, 8 a year off, 30 missing."""
    values = [str(FIRST_YEAR + place) for place in range(YEARS)]
    written = tuple(
        mixture((0.62, {year: 1.0}), (0.08, {str(int(year) - 1): 0.5, str(int(year) + 1): 0.5}), (0.3, {"": 1.0}))
        for year in values
    )
    return Channel(tuple(values), torch.full((YEARS,), 1 / YEARS, dtype=torch.float64), written)


def towns() -> Channel:
    """Towns: 72 in 100 as they are, 8 have moved to any of them, 20 are missing."""
    names = words()["towns"].split()
    prior = zipf(len(names), 0.7)
    anywhere = dict(zip(names, prior.tolist(), strict=True))
    written = tuple(mixture((0.72, {name: 1.0}), (0.08, anywhere), (0.2, {"": 1.0})) for name in names)
    return Channel(tuple(names), prior, written)


def trades() -> Channel:
    """What a person does: three words around the name, each in six of ten cases from the trade, else from all day."""
    general, lists = words()["general"].split(), {name: text.split() for name, text in words()["trades"].items()}
    anything = dict.fromkeys(general, 1 / len(general))
    written = tuple(mixture((0.6, dict.fromkeys(own, 1 / len(own))), (0.4, anything)) for own in lists.values())
    prior = torch.full((len(lists),), 1 / len(lists), dtype=torch.float64)
    return Channel(tuple(lists), prior, written, draws=3)
