"""Larders: small graphs of things, shelves, rooms and keepers, and questions of one to three hops about them.

    okra red   red cellar   cellar ada   okra leeks   cellar attic
    where is okra: shelf?  red.   room?  cellar.   keeper?  ada.

Each thing lies on one shelf, each shelf is in one room, each room has one keeper. Some things go together, and some
rooms have a door between them: these are edges that no question follows. Names are dealt out anew for each larder.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

THINGS = (
    "butter", "leeks", "okra", "carrots", "lentils", "tofu", "cod", "salmon", "beef", "grapes", "mango", "olives",
    "cumin", "thyme", "sage", "nutmeg", "cocoa", "vanilla", "parsley", "basil",
)  # fmt: skip
SHELVES = ("red", "blue", "green", "white", "black", "pink", "grey", "brown", "gold", "teal")
ROOMS = ("cellar", "attic", "pantry", "barn", "hall", "shed", "porch", "loft")
KEEPERS = ("ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hana")
KINDS = {"thing": THINGS, "shelf": SHELVES, "room": ROOMS, "keeper": KEEPERS}
ASKED = ("shelf", "room", "keeper")  # behind one, two and three hops
HOPS = range(1, len(ASKED) + 1)
# Of each kind in one larder; nodes are numbered in this order.
COUNTS = {"thing": 10, "shelf": 6, "room": 4, "keeper": 3}
SIZE = sum(COUNTS.values())
FIRST = dict(zip(COUNTS, (0, 10, 16, 20), strict=True))  # node of each kind
TOGETHER, DOORS = 8, 3  # edges that no question follows, at most

# Tokens: padding, the three kinds that are asked for, and all names.
WORDS = ("-", "shelf?", "room?", "keeper?", *THINGS, *SHELVES, *ROOMS, *KEEPERS)
PADDING = 0


class Question(NamedTuple):
    """Where is a thing? The answer is so many hops away: its shelf, its room, its keeper."""

    thing: int
    hops: int


@dataclass(frozen=True)
class Larder:
    """The edges of a larder, without names.

    Args:
        above: of each thing, shelf and room: its shelf, room or keeper.
        aside: pairs of things that go together, and of rooms with a door between them.
    """

    above: tuple[int, ...]
    aside: tuple[tuple[int, int], ...]

    @property
    def edges(self) -> list[tuple[int, int]]:
        """All edges, each once; first those that lead up."""
        return [*enumerate(self.above), *self.aside]

    def answer(self, question: Question) -> int:
        """Return the node that a question asks for."""
        node = question.thing
        for _ in range(question.hops):
            node = self.above[node]
        return node


def draw_larder(generator: torch.Generator) -> Larder:
    """Return a random larder; no shelf, room or keeper is without anything below it."""
    above: list[int] = []
    for kind, next_kind in pairwise(COUNTS):
        count, onto = COUNTS[kind], COUNTS[next_kind]
        more = torch.randint(onto, (count - onto,), generator=generator)
        chosen = torch.cat([torch.arange(onto), more])[torch.randperm(count, generator=generator)]
        above += (FIRST[next_kind] + chosen).tolist()
    things = torch.randint(COUNTS["thing"], (TOGETHER, 2), generator=generator)
    rooms = FIRST["room"] + torch.randint(COUNTS["room"], (DOORS, 2), generator=generator)
    pairs = {(min(pair), max(pair)) for pair in [*things.tolist(), *rooms.tolist()] if pair[0] != pair[1]}
    return Larder(tuple(above), tuple(sorted(pairs)))


def kind_of(node: int) -> str:
    """Return the kind of a node."""
    return [kind for kind, first in FIRST.items() if node >= first][-1]


def of_kind(asked: str) -> range:
    """Return the nodes of a kind."""
    return range(FIRST[asked], FIRST[asked] + COUNTS[asked])


def draw_names(larders: int, generator: torch.Generator) -> Tensor:
    """Return the token of each node's name, (larders, SIZE); within a larder all names differ."""
    columns, start = [], WORDS.index(THINGS[0])
    for kind, names in KINDS.items():
        order = torch.rand(larders, len(names), generator=generator).argsort(dim=1)
        columns.append(start + order[:, : COUNTS[kind]])
        start += len(names)
    return torch.cat(columns, dim=1)
