"""Groups as multiplication tables: the smallest worlds in which a state has to be tracked.

A group is a set of moves that can be done one after the other and undone: turns of a wheel, ways to shuffle cards. The
word problem asks to which single move a sequence of moves comes. Barrington 1989, *Bounded-Width Polynomial-Size
Branching Programs*: for groups that are not solvable, such as A5, it is as hard as any formula of and, or and not.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

Table = Int[Tensor, "elements elements"]
GroupName = Literal["Z2", "Z60", "S3", "A5"]


@dataclass(frozen=True)
class Group:
    """A group; element 0 does nothing.

    Args:
        name: such as "A5".
        elements: a word for each element, such as "231" for what moves the second thing to the first place.
        table: (elements, elements), `table[first, second]` is what `first` and then `second` come to.
    """

    name: str
    elements: tuple[str, ...]
    table: Table


def cyclic(count: int) -> Group:
    """Return the turns of a wheel with `count` places: adding modulo `count`.

    Raises:
        ValueError: fewer than 1 place.
    """
    if count < 1:
        raise ValueError(f"a wheel has at least 1 place; got {count}")
    turns = torch.arange(count)
    return Group(f"Z{count}", tuple(map(str, range(count))), (turns[:, None] + turns) % count)


def is_even(order: tuple[int, ...]) -> bool:
    """Return whether an arrangement is reached from 0, 1, 2, ... by an even number of exchanges of two."""
    return sum(a > b for place, a in enumerate(order) for b in order[place + 1 :]) % 2 == 0


def arrangements(count: int, even: bool = False) -> Group:
    """Return the ways to rearrange `count` things: all of them (S3 of three), or the even ones (A5 of five).

    Element (p0, p1, ...) puts the thing from place p0 to place 0, the one from place p1 to place 1, and so on.

    Raises:
        ValueError: not from 1 to 5 things, whose table would be large.
    """
    if not 1 <= count <= 5:
        raise ValueError(f"from 1 to 5 things are rearranged; got {count}")
    orders = [order for order in permutations(range(count)) if is_even(order) or not even]
    place_of = {order: index for index, order in enumerate(orders)}
    # What stands in place i after both was in place second[i] after the first, and there it had come from first[that].
    table = [[place_of[tuple(first[place] for place in second)] for second in orders] for first in orders]
    words = tuple("".join(str(place + 1) for place in order) for order in orders)
    return Group(f"{'A' if even else 'S'}{count}", words, torch.tensor(table))


def make_group(name: GroupName) -> Group:
    """Return the group of a name."""
    if name in ("Z2", "Z60"):
        return cyclic(int(name[1:]))
    return arrangements(3) if name == "S3" else arrangements(5, even=True)


def prefix_products(table: Table, words: Int[Tensor, "batch tokens"]) -> Int[Tensor, "batch tokens"]:
    """Return for each token what all tokens up to it come to, by one look into the table after the other.

    Raises:
        ValueError: no token, or one that is no element.
    """
    if words.shape[1] == 0 or words.min() < 0 or words.max() >= len(table):
        raise ValueError(f"a word has at least one token, each from 0 to {len(table) - 1}; got {words.tolist()}")
    products = [words[:, 0]]
    for token in words[:, 1:].unbind(dim=1):
        products.append(table[products[-1], token])
    return torch.stack(products, dim=1)


def commutes(group: Group) -> bool:
    """Return whether the order never matters: a then b is b then a."""
    return bool((group.table == group.table.T).all())


def closure(table: Table, elements: set[int]) -> set[int]:
    """Return all that products of some elements come to."""
    found, new = set(), set(elements) | {0}
    while new:
        found |= new
        new = {int(table[a, b]) for a in new for b in elements} - found
    return found


def draw_moves(group: Group, count: int, generator: torch.Generator) -> Int[Tensor, " moves"]:
    """Return so many elements that come to every element of the group if they are done often enough; all are in order.

    Args:
        group: of which they are.
        count: how many; that of the elements for all of them.
        generator: draws them, again until they make the whole group.

    Raises:
        ValueError: more than there are, or fewer than make the group in a hundred draws.
    """
    elements = len(group.table)
    if not 1 <= count <= elements:
        raise ValueError(f"{group.name} has {elements} elements; got {count} moves: give from 1 to {elements}")
    if count == elements:
        return torch.arange(elements)
    for _ in range(100):
        moves = torch.randperm(elements, generator=generator)[:count]
        if len(closure(group.table, set(moves.tolist()))) == elements:
            return moves.sort().values
    raise ValueError(f"{count} elements do not make all of {group.name}: give more moves")


def derived_sizes(group: Group) -> list[int]:
    """Return the sizes of the group, of what its commutators make, of what theirs make, until the size stays.

    A commutator is a, then b, then a undone, then b undone: what is left because the order matters. The group is
    solvable if the last size is 1.
    """
    table = group.table
    undo = (table == 0).long().argmax(dim=1)  # table[a, undo[a]] = 0
    members, sizes = set(range(len(table))), [len(table)]
    while True:
        pairs = [(a, b) for a in members for b in members]
        commutators = {int(table[table[table[a, b], undo[a]], undo[b]]) for a, b in pairs}
        members = closure(table, commutators)
        if len(members) == sizes[-1]:
            return sizes
        sizes.append(len(members))
