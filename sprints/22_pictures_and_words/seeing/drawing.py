"""Pictures of scenes, and scenes of pictures: 48 x 48 pixels, nine places of 16 x 16.

Nothing hides anything, and any two ways to fill a place differ in at least six pixels. So a picture determines its
scene, and `decode` finds it by looking each place up among all 648 ways and the empty one.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor

from seeing.scenes import COLOURS, KINDS, SHIFTS, SIDE, SIZES, Item, Scene

PLACE = 16  # pixels across a place
PICTURE = SIDE * PLACE
WOOD, SEAM = (193, 154, 107), (176, 137, 92)
PAINT = {
    "red": (214, 48, 49),
    "green": (46, 150, 72),
    "blue": (48, 92, 205),
    "yellow": (246, 212, 62),
    "white": (246, 246, 240),
    "black": (34, 32, 38),
}
ACROSS = {"small": 8, "large": 14}  # pixels

Look = tuple[str, str, str, int, int]  # kind, colour, size, dx, dy


def shape(kind: str, across: int) -> tuple[Bool[Tensor, "across across"], Bool[Tensor, "across across"]]:
    """Return which pixels a thing covers, and which of these are shaded: a rim, a fold, a crust, a handle, a stem."""
    line = (torch.arange(across) + 0.5) / across * 2 - 1  # centres of pixels, from -1 to 1
    y, x = line[:, None], line[None, :]
    radius = (x.square() + y.square()).sqrt()
    if kind == "plate":
        covered, shaded = radius <= 1, (radius > 0.5) & (radius <= 0.75)
    elif kind == "bowl":
        covered, shaded = (y > -0.3) & (x.square() + ((y + 0.3) / 1.3).square() <= 1), y < 0.05
    elif kind == "napkin":
        covered, shaded = (x.abs() < 0.9) & (y.abs() < 0.9), y > x
    elif kind == "slice":
        covered, shaded = x.abs() <= (1.1 - y) / 2, y < -0.6
    elif kind == "knife":
        covered, shaded = (x.abs() < 0.25) & (y == y), y > 0.2
    else:
        foot = (y > 0.75) & (x.abs() < 0.6)
        stem = (x.abs() < 0.2) & (y > 0)
        covered, shaded = foot | stem | (x.square() / 0.5 + (y + 1).square() / 1.3 <= 1), foot | stem
    return covered, covered & shaded


def empty_place() -> UInt8[Tensor, "3 16 16"]:
    """Return a place with nothing on it: wood, with a seam above."""
    place = torch.tensor(WOOD, dtype=torch.uint8)[:, None, None].repeat(1, PLACE, PLACE)
    place[:, 0] = torch.tensor(SEAM, dtype=torch.uint8)[:, None]
    return place


def draw_place(kind: str, colour: str, size: str, dx: int, dy: int) -> UInt8[Tensor, "3 16 16"]:
    """Return a place with one thing on it."""
    place, paint = empty_place(), torch.tensor(PAINT[colour])
    # Black cannot be shaded darker.
    shade = paint + 70 if colour == "black" else (paint * 0.68).long()
    covered, shaded = shape(kind, ACROSS[size])
    start = (PLACE - ACROSS[size]) // 2
    window = place[:, start + dy : start + dy + ACROSS[size], start + dx : start + dx + ACROSS[size]]
    window[:, covered] = paint.to(torch.uint8)[:, None]
    window[:, shaded] = shade.to(torch.uint8)[:, None]
    return place


@cache
def _all_places() -> tuple[Tensor, dict[Look | None, int], dict[bytes, Look | None]]:
    """Return all places, (649, 3, 16, 16), the number of each by its look, and the look by its bytes."""
    looks: list[Look | None] = [None, *product(KINDS, COLOURS, SIZES, SHIFTS, SHIFTS)]
    places = torch.stack([empty_place() if look is None else draw_place(*look) for look in looks])
    by_bytes = {place.numpy().tobytes(): look for place, look in zip(places, looks, strict=True)}
    return places, {look: number for number, look in enumerate(looks)}, by_bytes


def _render(scenes: Sequence[Scene]) -> UInt8[Tensor, "scenes 3 48 48"]:
    places, numbers, _ = _all_places()
    chosen = [[0] * SIDE**2 for _ in scenes]  # number 0 is the empty place
    for row, scene in zip(chosen, scenes, strict=True):
        for item in scene.items:
            row[item.row * SIDE + item.column] = numbers[item.kind, item.colour, item.size, item.dx, item.dy]
    tiles = places[torch.tensor(chosen).view(-1, SIDE, SIDE)]  # (scenes, row, column, 3, 16, 16)
    return tiles.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def render(scene: Scene) -> UInt8[Tensor, "3 48 48"]:
    """Return the picture of a scene: red, green and blue from 0 to 255."""
    return _render([scene])[0]


def pictures(scenes: Sequence[Scene]) -> Float32[Tensor, "scenes 3 48 48"]:
    """Return the pictures of scenes, scaled from 0 ... 255 to -1 ... 1."""
    return _render(scenes).float() / 127.5 - 1


def decode(picture: Tensor) -> Scene:
    """Return the scene of which this is the picture.

    Args:
        picture: (3, 48, 48), whole numbers of torch.uint8, as from `render`.

    Raises:
        ValueError: no picture of a table: another shape or type, a place that no item looks like, or things that no
            scene has together.
    """
    if picture.dtype != torch.uint8 or picture.shape != (3, PICTURE, PICTURE):
        raise ValueError(
            f"a picture of a table is torch.uint8 and (3, {PICTURE}, {PICTURE}); got {picture.dtype} and "
            f"{tuple(picture.shape)}"
        )
    by_bytes, items = _all_places()[2], []
    for row, column in product(range(SIDE), range(SIDE)):
        tile = picture[:, row * PLACE : (row + 1) * PLACE, column * PLACE : (column + 1) * PLACE]
        key = tile.contiguous().cpu().numpy().tobytes()
        if key not in by_bytes:
            raise ValueError(f"no picture of a table: nothing looks like the place in row {row}, column {column}")
        if (look := by_bytes[key]) is not None:
            kind, colour, size, dx, dy = look
            items.append(Item(kind, colour, size, row, column, dx, dy))
    return Scene(tuple(items))


def fewest_different_pixels() -> int:
    """Return in how many pixels the two most similar ways to fill a place differ."""
    places = _all_places()[0]
    fewest = PLACE**2
    for number, place in enumerate(places[:-1]):
        different = (places[number + 1 :] != place).any(dim=1).flatten(1).sum(dim=1)
        fewest = min(fewest, int(different.min()))
    return fewest
