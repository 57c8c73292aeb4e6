"""Scenes on a laid table: which things lie where, in which colour and size. Every probability is known.

A table has 3 x 3 places. A scene has 1, 2, 3 or 4 items (each number with probability 1/4) of different kinds, in
different places; kinds, places, colours, sizes and a shift of at most a pixel are uniform, and independent.
"""

from dataclasses import dataclass

import torch

KINDS = ("plate", "bowl", "napkin", "slice", "knife", "glass")
COLOURS = ("red", "green", "blue", "yellow", "white", "black")
SIZES = ("small", "large")
RELATIONS = ("left of", "right of", "above", "below")
STREAMS = ("train", "validation", "test")
SIDE = 3  # places in a row of the table, and rows of places
MOST_ITEMS = 4
SHIFTS = (-1, 0, 1)  # pixels

# What one draw decides for an item beside its kind and its place.
_WAYS = len(COLOURS) * len(SIZES) * len(SHIFTS) ** 2


@dataclass(frozen=True)
class Item:
    """One thing on the table; rows count from the top, columns from the left, dx goes right and dy goes down."""

    kind: str
    colour: str
    size: str
    row: int
    column: int
    dx: int = 0
    dy: int = 0

    def __post_init__(self) -> None:
        allowed = {"kind": KINDS, "colour": COLOURS, "size": SIZES, "row": range(SIDE), "column": range(SIDE)}
        for name, values in (*allowed.items(), ("dx", SHIFTS), ("dy", SHIFTS)):
            value = vars(self)[name]
            if value not in values:
                raise ValueError(f"{name} must be one of {', '.join(map(str, values))}; got {value!r}")


@dataclass(frozen=True)
class Scene:
    """What lies on a table: items in the order of their places, row by row, in whatever order they were given.

    Raises:
        ValueError: no item or more than four, two items of one kind, two in one place.
    """

    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(sorted(self.items, key=lambda item: (item.row, item.column))))
        if not 1 <= len(self.items) <= MOST_ITEMS:
            raise ValueError(f"a scene has 1 to {MOST_ITEMS} items; got {len(self.items)}")
        kinds = [item.kind for item in self.items]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"the kinds of a scene must differ; got {', '.join(kinds)}")
        places = [(item.row, item.column) for item in self.items]
        if len(set(places)) < len(places):
            raise ValueError(f"items must lie in different places; got {places} as rows and columns")

    def item(self, kind: str) -> Item | None:
        """Return the item of a kind, or None where there is none."""
        return next((item for item in self.items if item.kind == kind), None)


def holds(relation: str, first: Item, second: Item) -> bool:
    """Return whether the first item is `relation` ("left of", ...) the second: places decide, shifts do not."""
    across, down = first.column - second.column, first.row - second.row
    return {"left of": across < 0, "right of": across > 0, "above": down < 0, "below": down > 0}[relation]


def true_relations(first: Item, second: Item) -> tuple[str, ...]:
    """Return the relations that the first item has to the second: one or two."""
    return tuple(relation for relation in RELATIONS if holds(relation, first, second))


def draw_scene(generator: torch.Generator) -> Scene:
    """Return a scene, drawn as the module says."""
    count = int(torch.randint(1, MOST_ITEMS + 1, (), generator=generator))
    kinds = torch.randperm(len(KINDS), generator=generator)[:count].tolist()
    places = torch.randperm(SIDE * SIDE, generator=generator)[:count].tolist()
    ways = torch.randint(_WAYS, (count,), generator=generator).tolist()
    return Scene(tuple(_item(*numbers) for numbers in zip(kinds, places, ways, strict=True)))


def _item(kind: int, place: int, way: int) -> Item:
    way, colour = divmod(way, len(COLOURS))
    way, size = divmod(way, len(SIZES))
    dx, dy = divmod(way, len(SHIFTS))
    return Item(KINDS[kind], COLOURS[colour], SIZES[size], *divmod(place, SIDE), SHIFTS[dx], SHIFTS[dy])


def generator_of(stream: str, index: int) -> torch.Generator:
    """Return the generator of scene number `index` of a stream; no two streams share a seed.

    Raises:
        ValueError: another stream than "train", "validation" or "test", or a negative number.
    """
    if stream not in STREAMS:
        raise ValueError(f"stream must be one of {', '.join(STREAMS)}; got {stream!r}")
    if index < 0:
        raise ValueError(f"scenes are numbered from 0; got {index}")
    return torch.Generator().manual_seed(index * len(STREAMS) + STREAMS.index(stream))


def scenes(stream: str, start: int, count: int) -> list[Scene]:
    """Return scenes number `start`, `start + 1`, ... of an endless stream, always the same ones.

    Raises:
        ValueError: as `generator_of`.
    """
    return [draw_scene(generator_of(stream, index)) for index in range(start, start + count)]
