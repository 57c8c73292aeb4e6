"""What do padding, mask and positions look like on either side, and which token does the head read?

    uv run sprints/11_finetune_gpt2_classification/where_padding_stands.py
    uv run sprints/11_finetune_gpt2_classification/where_padding_stands.py --lengths 4 1

Theory: notes/06_padding.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (3, 5, 2)  # tokens of each text


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    masks: dict[str, list[list[int]]]
    positions: dict[str, list[list[int]]]
    last: dict[str, list[int]]
    padding: float


def main(config: Config) -> Results:
    longest, lengths = max(config.lengths), torch.tensor(config.lengths)[:, None]
    places = torch.arange(longest)
    masks = {"right": (places < lengths).long(), "left": (places >= longest - lengths).long()}
    results = Results(
        lengths=list(config.lengths),
        masks={side: mask.tolist() for side, mask in masks.items()},
        # Counted from the first real token; those of the padding do not matter.
        positions={side: (mask.cumsum(1) - 1).clamp(min=0).tolist() for side, mask in masks.items()},
        last={side: (places * mask).argmax(1).tolist() for side, mask in masks.items()},
        padding=1 - sum(config.lengths) / (len(config.lengths) * longest),
    )
    for side in masks:
        print(f"{side}: positions {results.positions[side]}, the head reads columns {results.last[side]}")
    print(f"{results.padding:.1%} of the places are padding")
    return results


def plot(results: Results) -> Figure:
    """Draw a batch padded on either side: positions by the column, and as they should be."""
    size, rows, columns = 0.42, len(results.lengths), max(results.lengths)
    width = size * columns
    figure, axes = drawings.canvas(3 * width + 3.2, 2 * (size * rows + 0.95))
    for number, side in enumerate(("right", "left")):
        y = figure.get_figheight() - 0.55 - number * (size * rows + 0.95)
        mask = results.masks[side]
        tokens = [[f"{'abcdefghij'[i % 10]}{p}" if m else "pad" for m, p in zip(row, places, strict=True)]
                  for i, (row, places) in enumerate(zip(mask, results.positions[side], strict=True))]  # fmt: skip
        read = [[0.85 if column == last else 0.25 if m else 0.06 for column, m in enumerate(row)]
                for row, last in zip(mask, results.last[side], strict=True)]  # fmt: skip
        faint = [[0.25 if m else 0.06 for m in row] for row in mask]
        by_column = [list(range(columns))] * rows
        for index, (title, table, strengths, colour) in enumerate((
            (f"padded on the {side}", tokens, read, drawings.QUERY),
            ("places by the column", by_column, faint, drawings.KEY),
            ("mask.cumsum - 1", results.positions[side], faint, drawings.VALUE),
        )):  # fmt: skip
            drawings.cells(
                axes, table, 0.5 + index * (width + 0.9), y, size=size, strengths=strengths, colour=colour, title=title
            )
    drawings.text(axes, "dark: the token that the head reads", 0.5, 0.15, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
