"""Which word sees itself? Five masks for two patches and a caption, and what each of them lets a model cheat.

    uv run sprints/22_pictures_and_words/masks_by_hand.py
    uv run sprints/22_pictures_and_words/masks_by_hand.py --words a blue knife .

Each place of the text predicts the next word; where it may look at that word, it can copy it. The picture shows one
thing, and the caption says its size or not. Theory: notes/10_leaks_and_places.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from seeing.captions import entropy_given_scene
from seeing.leaking import Fault, visible
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

MASKS: tuple[Fault, ...] = (
    "as it must be",
    "patches see all patches",
    "words in the patches' region",
    "patches see the words",
    "padding mask alone",
)
PATCHES = 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: Annotated[tuple[str, ...], Field(min_length=2, max_length=6)] = ("a", "red", "plate", ".")  # of the caption


@dataclass(frozen=True)
class Results:
    names: list[str]
    masks: dict[str, list[list[bool]]]  # (places, places), True means "may look"
    # Words that reach the place which has to predict them, after one layer and after two.
    copied: dict[str, list[str]]
    copied_twice: dict[str, list[str]]
    floor: float  # H(caption | scene) of a scene with one item, in nats


def main(config: Config) -> Results:
    names = [*(f"patch {number + 1}" for number in range(PATCHES)), "<end>", *config.words]
    real = torch.ones(1, len(names) - PATCHES, dtype=torch.bool)
    masks, copied, twice = {}, {}, {}
    for mask in MASKS:
        seen = visible(mask, PATCHES, real)[0, 0]
        masks[mask] = seen.tolist()
        through = seen.float() @ seen.float() > 0  # what a place saw in the first layer it hands on in the second
        copied[mask], twice[mask] = known_to_their_place(seen, names), known_to_their_place(through, names)
        print(
            f"{mask}: {len(copied[mask])} of {len(config.words)} words see themselves, {len(twice[mask])} in two layers"
        )
    floor = entropy_given_scene(1)
    print(f"H(caption | scene) of one item: log 2 = {math.log(2):.3f} = {floor:.3f} nats")
    return Results(names, masks, copied, twice, floor)


def known_to_their_place(seen: torch.Tensor, names: list[str]) -> list[str]:
    """Return the words that the place before them may see: it has to predict them."""
    return [names[place] for place in range(PATCHES + 1, len(names)) if seen[place - 1, place]]


def plot(results: Results) -> Figure:
    """Draw the masks; orange cells are where a place looks at the word that it has to predict."""
    size, places = 0.3, len(results.names)
    side = size * places
    figure, axes = drawings.canvas(1.2 + 3 * (side + 0.9), 2 * (side + 1.4))
    for number, (mask, seen) in enumerate(results.masks.items()):
        x, y = 1.0 + number % 3 * (side + 0.9), (2 - number // 3) * (side + 1.4) - 1.1
        draw_mask(axes, seen, x, y, size)
        drawings.text(axes, mask, x + side / 2, y + 0.85, bold=True)
        for place, name in enumerate(results.names):
            middle = (place + 0.5) * size
            axes.text(
                x + middle, y + 0.06, name, rotation=60, fontsize=8, ha="left", va="bottom", rotation_mode="anchor"
            )
            if number % 3 == 0:
                drawings.text(axes, name, x - 0.08, y - middle, align="right", size=8)
    x = 1.0 + 2 * (side + 0.9)
    for line, words in enumerate(
        ("a row may look at", "its coloured columns;", "orange: at the word", "that it has to predict")
    ):
        drawings.text(axes, words, x, side - 0.3 - 0.3 * line, align="left")
    return figure


def draw_mask(axes: Axes, seen: list[list[bool]], x: float, y: float, size: float) -> None:
    """Draw a mask with its upper left corner there."""
    for row, looks in enumerate(seen):
        for column, may in enumerate(looks):
            own = column == row + 1 and column > PATCHES
            colour = COLOURS[3] if may and own else drawings.QUERY
            corner = (x + column * size, y - row * size)
            strength = [[(0.9 if own else 0.4) if may else 0.06]]
            drawings.cells(axes, [[""]], *corner, colour=colour, size=size, strengths=strength)


if __name__ == "__main__":
    run(main, Config, plot=plot)
