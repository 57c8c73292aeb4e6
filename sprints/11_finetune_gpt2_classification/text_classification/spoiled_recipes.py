"""Genuine and spoiled recipes, and the exact probability that a given text is a spoiled one.

A genuine recipe is drawn from the cookbook's grammar. So is a spoiled one, and then one of three things happens to it,
with the probabilities in `KINDS`:

- shift: in the steps every ingredient stands where another belongs, the list of them turned by some places;
- swap: two neighbouring steps change places;
- lazy: what is to be cut, grated, smoked... is had in the plainest way, the first of its list, with probability `LAZY`.

What comes out may still be a possible recipe. P(text | spoiled) is then a sum over all that it may have been before,
and Bayes' rule gives P(spoiled | text). Theory: notes/03_the_optimum.md
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import Literal, NamedTuple

import torch

from shared.text.cookbook import STREAMS, Cookbook
from text_classification.labelled_texts import LabelledTexts

GENUINE, SPOILED = 0, 1
RECIPE_CLASSES = ("genuine", "spoiled")
Dish = Literal["soup", "curry", "salad", "traybake", "pasta", "cake"]
DISHES: tuple[Dish, ...] = ("traybake",)  # one kind of dish needs minutes of training; all six need most of an hour
KINDS = {"shift": 0.35, "swap": 0.35, "lazy": 0.3}
LAZY = 0.8
_STEP = re.compile(r"(?<=^\d\. ).*", re.MULTILINE)

Outcomes = Iterator[tuple[str, float]]


class Cut(NamedTuple):
    """How an ingredient of the list is cut: the word, where it stands, and all the words that might stand there."""

    word: str
    start: int
    end: int
    choices: list[str]


class Spoiler:
    """Spoils the recipes of a cookbook, and knows how probable a spoiled text is.

    Args:
        cookbook: writes the genuine recipes, in the plain voice.
        kinds: probabilities of the three kinds.

    Raises:
        ValueError: another voice, an unknown kind, or probabilities that do not sum to one.
    """

    def __init__(self, cookbook: Cookbook, kinds: dict[str, float] = KINDS) -> None:
        if cookbook.voice != "plain":
            raise ValueError(f"the spoiler reads the plain voice only; got a cookbook in the voice {cookbook.voice!r}")
        if not set(kinds) <= set(KINDS) or not math.isclose(sum(kinds.values()), 1):
            raise ValueError(f"kinds must be among {', '.join(KINDS)}, with probabilities that sum to 1; got {kinds}")
        self.cookbook, self.kinds = cookbook, kinds
        self._outcomes_of = {"shift": self._shift, "swap": self._swap, "lazy": self._lazy}
        self.roles = {item.name: role for role, items in cookbook.pantry.items() for item in items}
        shorts = [item.short for items in cookbook.pantry.values() for item in items]
        self.mention = re.compile(rf"(?<=\bthe )(?:{_any_of(shorts)})\b")
        cuts = {cut for entry in cookbook.entries.values() for cut in entry.get("cuts", ())}
        self.cut = re.compile(rf"^\d+ (?:\w+ )?(?P<cut>{_any_of(cuts)}) (?P<name>{_any_of(self.roles)})$", re.MULTILINE)

    def spoil(self, text: str, generator: torch.Generator) -> str:
        """Return what becomes of a genuine recipe."""
        kind = list(self.kinds)[_draw(list(self.kinds.values()), generator)]
        texts, probabilities = zip(*self._outcomes_of[kind](text), strict=True)
        return texts[_draw(probabilities, generator)]

    def outcomes(self, text: str) -> Outcomes:
        """Yield each text that a genuine recipe may become with its probability (a text may come more than once)."""
        for kind, weight in self.kinds.items():
            for spoiled, probability in self._outcomes_of[kind](text):
                yield spoiled, weight * probability

    def ratio(self, text: str) -> float:
        """Return P(text | spoiled) / P(text | genuine) of a text that the grammar can write.

        The numerator is the sum over all recipes x of P(x) P(x becomes text). A shift undoes a shift and a swap a swap,
        each as probably, so what a text may have been is what it may become. The lazy cook changes cuts alone, which
        the grammar draws independently and uniformly: there P(x) = P(text), and the sum over all lists before is a
        product over the cuts.
        """
        genuine, total = self.cookbook.log_prob(text), 0.0
        for kind, weight in self.kinds.items():
            if kind == "lazy":
                total += weight * self._lazy_ratio(text)
            else:
                befores = self._outcomes_of[kind](text)
                total += weight * math.fsum(p * math.exp(self.cookbook.log_prob(x) - genuine) for x, p in befores)
        return total

    def posterior(self, text: str, prior: float = 0.5) -> float:
        """Return P(spoiled | text) for a text that is either genuine or spoiled.

        A text that the grammar cannot write is not genuine, so it is spoiled for certain.
        """
        if self.cookbook.fault(text):
            return 1.0
        odds = prior / (1 - prior) * self.ratio(text)
        return odds / (1 + odds)

    def _shift(self, text: str) -> Outcomes:
        mentions = list(self.mention.finditer(text, *self._section(text, "method", "tip")))
        names = [mention[0] for mention in mentions]
        for turn in range(1, len(names)):
            yield _replace(text, zip(mentions, names[turn:] + names[:turn], strict=True)), 1 / (len(names) - 1)

    def _swap(self, text: str) -> Outcomes:
        pairs = list(pairwise(_STEP.finditer(text)))
        for first, second in pairs:
            yield _replace(text, [(first, second[0]), (second, first[0])]), 1 / len(pairs)

    def _lazy(self, text: str) -> Outcomes:
        others = [cut for cut in self._cuts(text) if cut.word != cut.choices[0]]
        for is_lazy in product((False, True), repeat=len(others)):
            spoiled, probability = text, 1.0
            for cut, lazy in reversed([*zip(others, is_lazy, strict=True)]):  # so that places stay right
                probability *= LAZY if lazy else 1 - LAZY
                if lazy:
                    spoiled = spoiled[: cut.start] + cut.choices[0] + spoiled[cut.end :]
            yield spoiled, probability

    def _lazy_ratio(self, text: str) -> float:
        """A cut is the plainest because it was, or because one of the other n - 1 was replaced by it."""
        return math.prod(
            1 + (len(cut.choices) - 1) * LAZY if cut.word == cut.choices[0] else 1 - LAZY for cut in self._cuts(text)
        )

    def _section(self, text: str, heading: str, until: str) -> tuple[int, int]:
        """Return where a part of the recipe begins and ends."""
        start = text.index(f"\n{self.cookbook.words[heading]}\n")
        return start, text.index(f"\n\n{self.cookbook.words[until]}", start)

    def _cuts(self, text: str) -> list[Cut]:
        """Return how the listed ingredients are cut, of those that are."""
        matches = self.cut.finditer(text, *self._section(text, "ingredients", "method"))
        return [
            Cut(match["cut"], *match.span("cut"), self.cookbook.entries[self.roles[match["name"]]]["cuts"])
            for match in matches
        ]


def labelled_recipes(
    stream: str, count: int, seed: int = 0, dishes: tuple[str, ...] = DISHES, *, pairs: bool = False
) -> LabelledTexts:
    """Return so many recipes, every second one spoiled: in pairs it is the one before it that was spoiled.

    Each seed has its own range of the stream of training recipes; the validation and test recipes are always the same.
    """
    cookbook, first = Cookbook(dishes=dishes), 1_000_000 * seed
    spoiler, generator = Spoiler(cookbook), torch.Generator().manual_seed(STREAMS.index(stream) + len(STREAMS) * seed)
    texts, labels = [], [SPOILED if index % 2 else GENUINE for index in range(count)]
    for index, label in enumerate(labels):
        text = cookbook.recipe(stream, first + (index // 2 if pairs else index)).text
        texts.append(spoiler.spoil(text, generator) if label == SPOILED else text)
    return LabelledTexts(texts, labels)


def _draw(weights: Sequence[float], generator: torch.Generator) -> int:
    return int(torch.multinomial(torch.tensor(weights, dtype=torch.float64), 1, generator=generator))


def _replace(text: str, passages: Iterable[tuple[re.Match[str], str]]) -> str:
    """Return the text with other words at some places, given in their order."""
    parts, end = [], 0
    for match, words in passages:
        parts += [text[end : match.start()], words]
        end = match.end()
    return "".join([*parts, text[end:]])


def _any_of(names: Iterable[str]) -> str:
    """Return a pattern for one of the names, the longest first: "the spelt flour" names a flour and not spelt."""
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
