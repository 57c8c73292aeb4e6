"""Which glyphs of a held-out font may be asked for, and what can a perfect model find among them?

    uv run sprints/22_pictures_and_words/glyphs_by_hand.py
    uv run sprints/22_pictures_and_words/glyphs_by_hand.py --letters A B 8 '|'

Theory: notes/11_glyphs_and_digits.md
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from seeing.glyphs import ceiling, draw, named_codes, seen
from shared.lab.config import ScriptConfig
from shared.lab.drawings import canvas, text
from shared.lab.ranges import Different
from shared.lab.run import run

Letters = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1)], ...], Different, Field(max_length=10)]
SHOWN = ("Sans", "Sans Oblique", "Sans Bold", "Mono", "Serif", "Serif Bold Italic")
TRAINED_ON, HELD_OUT = SHOWN[:3], SHOWN[3:]
SIZE, LEFT, TOP = 0.55, 1.9, 3.8  # inches
GREEK_RHO, CYRILLIC_ER, BLACK_CIRCLE = "\u03a1", "\u0420", "\u25cf"  # two of them look like a P


@dataclass(frozen=True)
class Config(ScriptConfig):
    letters: Letters = ("P", GREEK_RHO, CYRILLIC_ER, "R", "S", BLACK_CIRCLE)  # what is drawn

    def check(self) -> None:
        codes = [ord(letter) for letter in self.letters]
        for style in SHOWN:
            if not {*codes} <= {*named_codes(style)} or draw(style, codes).left_out:
                raise ValueError(f"each letter must have a name and ink in all fonts; not so in {style}: take others")


@dataclass(frozen=True)
class Results:
    names: list[str]
    pictures: dict[str, list[list[list[int]]]]  # of each style and letter
    seen: dict[str, list[bool]]  # of each held-out style: is it a training picture?
    best: dict[str, dict[str, float]]  # recall@1, @2, @3 of a perfect model among those that may be asked for


def main(config: Config) -> Results:
    names = [unicodedata.name(letter).lower() for letter in config.letters]
    drawn = {style: draw(style, [ord(letter) for letter in config.letters]).pictures for style in SHOWN}
    before = {style: seen(drawn[style], torch.cat([drawn[one] for one in TRAINED_ON])) for style in HELD_OUT}
    best = {
        style: {f"{k}": ceiling(drawn[style][~rows], k) for k in (1, 2, 3)}
        for style, rows in before.items() if not rows.all()
    }  # fmt: skip
    for style, found in best.items():
        asked = [name for name, was_seen in zip(names, before[style].tolist(), strict=True) if not was_seen]
        print(f"{style}: may be asked for: {', '.join(asked)}")
        print(f"  best recall {', '.join(f'@{k} {value:.3f}' for k, value in found.items())}")
    pictures = {style: drawn[style].tolist() for style in SHOWN}
    return Results(names, pictures, {style: rows.tolist() for style, rows in before.items()}, best)


def plot(results: Results) -> Figure:
    """Draw each letter in each style; what a training picture is like, pixel for pixel, is crossed out."""
    figure, axes = canvas(LEFT + 1.15 * len(results.names) + 1.9, TOP + 0.6)
    for column, name in enumerate(results.names):
        first, _, rest = name.partition(" ")
        text(axes, f"{first}\n{rest}", LEFT + 1.15 * column + SIZE / 2, TOP + 0.3, size=7)
    for row, style in enumerate(results.pictures):
        bottom = TOP - 0.1 - (row + 1) * SIZE - 0.25 * (row >= len(TRAINED_ON))
        text(axes, style, LEFT - 0.15, bottom + SIZE / 2, align="right", bold=row >= len(TRAINED_ON))
        for column, picture in enumerate(results.pictures[style]):
            x = LEFT + 1.15 * column
            axes.imshow(picture, cmap="gray_r", extent=(x, x + SIZE, bottom, bottom + SIZE), zorder=1)
            if style in results.seen and results.seen[style][column]:
                axes.plot([x, x + SIZE], [bottom, bottom + SIZE], color="#D55E00", linewidth=2, zorder=2)
        if style in results.best:
            said = ", ".join(f"{value:.2f}" for value in results.best[style].values())
            text(axes, said, LEFT + 1.15 * len(results.names) + 0.6, bottom + SIZE / 2)
    text(axes, "best recall\n@1, @2, @3", LEFT + 1.15 * len(results.names) + 0.6, TOP + 0.3, size=8, bold=True)
    axes.set(xlim=(0, LEFT + 1.15 * len(results.names) + 1.9), ylim=(0, TOP + 0.6))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
