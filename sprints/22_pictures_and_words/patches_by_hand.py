"""How does a picture become tokens? A picture of 4 x 4 pixels, cut into four patches, every number of it.

    uv run sprints/22_pictures_and_words/patches_by_hand.py
    uv run sprints/22_pictures_and_words/patches_by_hand.py --picture 0 0 0 0 9 9 9 9 0 0 0 0 0 0 0 0

Two features of each patch: how bright it is, and how much brighter on the right than on the left. Last, a whole vision
transformer is shown the patches in another order. Theory: notes/01_patches.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.nn import functional

from shared.lab import drawings
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.vision_transformer import VisionConfig, VisionTransformer, patchify

PATCH = 2
WEIGHT = ((0.25, 0.25, 0.25, 0.25), (-0.5, 0.5, -0.5, 0.5))  # the mean; right minus left
CLASS = (1.0, 1.0)
POSITIONS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))  # of the class token, and of each patch
COLOURS = (drawings.QUERY, drawings.KEY, drawings.VALUE, drawings.MIXED)
Picture = Annotated[tuple[float, ...], Field(min_length=16, max_length=16)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    picture: Picture = (0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 2, 2)  # brightness of the pixels, row by row


@dataclass(frozen=True)
class Results:
    """Of the last two: how far the class token moves when patches change places, without positions and with them."""

    picture: list[list[float]]
    patches: list[list[float]]
    products: list[list[float]]
    convolved: list[list[list[float]]]
    tokens: list[list[float]]
    pairs: dict[str, int]
    moved_without: float
    moved_with: float


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    picture = torch.tensor(config.picture, dtype=torch.float32).view(1, 1, 4, 4)
    weight = torch.tensor(WEIGHT)
    patches = patchify(picture, PATCH)  # (1, 4, 4)
    products = patches @ weight.mT  # (1, 4, 2)
    convolved = functional.conv2d(picture, weight.view(2, 1, PATCH, PATCH), stride=PATCH)  # (1, 2, 2, 2)
    tokens = torch.cat([torch.tensor([CLASS]), products[0]]) + torch.tensor(POSITIONS)  # (5, 2)
    for number, (patch, product) in enumerate(zip(patches[0].tolist(), products[0].tolist(), strict=True), start=1):
        print(f"patch {number}: pixels {patch}, times both rows of weights {product}")
    print(f"a convolution gives the planes {convolved[0].tolist()}")
    print(f"with the class token and positions: {tokens.tolist()}")

    # Each token looks at each: tokens squared, in every head of every layer.
    pairs = {f"48 pixels, patches of {patch}": (1 + (48 // patch) ** 2) ** 2 for patch in (1, 4, 8, 16)}
    for name, count in pairs.items():
        print(f"{name}: {count:,} pairs")
    moved = moved_by_other_order()
    print(
        f"patches in another order move the class token by {moved[0]:.1e} without positions, {moved[1]:.3f} with them"
    )
    return Results(
        picture=picture[0, 0].tolist(),
        patches=patches[0].tolist(),
        products=products[0].tolist(),
        convolved=convolved[0].tolist(),
        tokens=tokens.tolist(),
        pairs=pairs,
        moved_without=moved[0],
        moved_with=moved[1],
    )


def moved_by_other_order() -> tuple[float, float]:
    """Return how far the class token of an untrained model moves when the halves of a picture change places."""
    generator = torch.Generator().manual_seed(0)
    model = VisionTransformer(VisionConfig(picture=4, patch=PATCH, channels=1, d_model=16), generator).eval()
    picture = torch.randn(1, 1, 4, 4, generator=generator)
    swapped = picture.roll(PATCH, dims=2)  # the upper patches are the lower ones now
    positions = model.position_embedding.data.clone()
    moved = []
    with torch.no_grad():
        for factor in (0.0, 1.0):
            model.position_embedding.copy_(factor * positions)
            difference = model.class_tokens(swapped) - model.class_tokens(picture)
            moved.append(difference.abs().max().item())
    return moved[0], moved[1]


def plot(results: Results) -> Figure:
    """Draw the picture in patches, each patch as a row, the product, and the sum with the positions."""
    figure, axes = drawings.canvas(9.9, 3.3)
    cells, text, size = drawings.cells, drawings.text, 0.45
    for number, colour in enumerate(COLOURS):
        row, column = divmod(number, 2)
        corner = [line[2 * column : 2 * column + 2] for line in results.picture[2 * row : 2 * row + 2]]
        cells(axes, corner, 0.1 + column, 2.35 - row, colour=colour, size=size)
        y = 2.3 - size * number
        cells(axes, [results.patches[number]], 2.65, y, colour=colour, size=size)
        cells(axes, [results.products[number]], 5.9, y, colour=colour, size=size)
        cells(axes, [results.tokens[1 + number]], 8.3, y, colour=colour, size=size)
        text(axes, f"patch {number + 1}", 9.28, y - size / 2, align="left")
    drawings.arrow(axes, (2.13, 1.4), (2.55, 1.4), "cut")
    weights = [[WEIGHT[feature][place] for feature in range(2)] for place in range(4)]
    cells(axes, weights, 4.7, 2.3, size=size, column_names=("mean", "r − l"))
    cells(axes, [CLASS], 5.9, 2.75, size=size)
    cells(axes, POSITIONS, 7.1, 2.75, size=size)
    cells(axes, [results.tokens[0]], 8.3, 2.75, size=size)
    text(axes, "class", 9.28, 2.53, align="left")
    for sign, x in (("×", 4.57), ("=", 5.74), ("+", 6.94), ("=", 8.14)):
        text(axes, sign, x, 1.4, size=13)
    titles = (("picture", 1.05, 2.62), ("a patch in each row", 3.55, 2.62), ("weights", 5.15, 2.8))
    for words, x, y in (*titles, ("products", 6.35, 3.0), ("positions", 7.55, 3.0), ("tokens", 8.75, 3.0)):
        text(axes, words, x, y, bold=True)
    text(axes, "equal pixels give equal products: positions tell such patches apart", 5.0, 0.12)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"moved_without": Tolerance(absolute=1e-5)})
