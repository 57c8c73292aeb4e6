"""The facts of a pantry, drawn at random: who cooks, sells or keeps what, since when, and what has changed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from retrieval.pantry_grammar import KINDS, YEARS, words_of

REMARK = 0.5  # the probability that a passage has a second sentence, which says something else
CHANGED = 0.1  # the share of passages that a later one overrides
NEAR = 0.3  # the share of the others that differ from an earlier one in one part

Item = TypeVar("Item")


@dataclass(frozen=True)
class Fact:
    """What a passage states; `overridden` is the number of a later passage that says otherwise, or None."""

    kind: int  # of KINDS
    values: tuple[str, str, str, str]
    year: int
    remark: tuple[str, str] | None
    overridden: int | None = None


def one_of(items: Sequence[Item], generator: torch.Generator) -> Item:
    """Return one of the items, each with the same probability."""
    return items[int(torch.randint(len(items), (), generator=generator))]


def chance(probability: float, generator: torch.Generator) -> bool:
    """Return True with this probability."""
    return float(torch.rand((), generator=generator)) < probability


def draw_facts(count: int, generator: torch.Generator) -> list[Fact]:
    """Draw facts in random order. A person does one thing of a kind in one way, or in two if it changed."""
    facts: list[Fact] = []
    taken: set[tuple[int, str, str]] = set()
    changes = math.floor(CHANGED * count)
    while len(facts) < count - changes:
        kind = one_of(range(len(KINDS)), generator)
        values = [one_of(list(words_of(table)), generator) for table in KINDS[kind].parts]
        if facts and chance(NEAR, generator):  # like an earlier one, but for the thing or the person
            model, part = one_of(facts, generator), one_of(range(2), generator)
            kind, thing_or_person = model.kind, one_of(list(words_of(KINDS[model.kind].parts[part])), generator)
            values = [thing_or_person if place == part else value for place, value in enumerate(model.values)]
        if (kind, values[0], values[1]) not in taken:
            taken.add((kind, values[0], values[1]))
            facts.append(Fact(kind, (values[0], values[1], values[2], values[3]), 0, _remark(generator)))
    dated = [replace(fact, year=one_of(YEARS, generator)) for fact in facts]
    for number in torch.randperm(len(facts), generator=generator)[:changes].tolist():
        dated[number] = replace(facts[number], year=one_of(YEARS[:-1], generator), overridden=len(dated))
        dated.append(_changed(dated[number], generator))
    return _shuffled(dated, generator)


def _remark(generator: torch.Generator) -> tuple[str, str] | None:
    if not chance(REMARK, generator):
        return None
    return one_of(list(words_of("person")), generator), one_of(list(words_of("product")), generator)


def _changed(fact: Fact, generator: torch.Generator) -> Fact:
    """Return a later fact about the same thing and person: its third or fourth part is another."""
    later = edited(fact, one_of((2, 3), generator), generator)
    year = one_of([year for year in YEARS if year > fact.year], generator)
    return replace(later, year=year, remark=_remark(generator), overridden=None)


def edited(fact: Fact, part: int, generator: torch.Generator) -> Fact:
    """Return a fact with another word in one part."""
    others = [word for word in words_of(KINDS[fact.kind].parts[part]) if word != fact.values[part]]
    return with_word(fact, part, one_of(others, generator))


def with_word(fact: Fact, part: int, word: str) -> Fact:
    """Return a fact with this word in one part."""
    first, second, third, fourth = (word if place == part else value for place, value in enumerate(fact.values))
    return replace(fact, values=(first, second, third, fourth))


def _shuffled(facts: list[Fact], generator: torch.Generator) -> list[Fact]:
    order = torch.randperm(len(facts), generator=generator).tolist()
    place = {old: new for new, old in enumerate(order)}
    return [
        fact if fact.overridden is None else replace(fact, overridden=place[fact.overridden])
        for fact in (facts[old] for old in order)
    ]
