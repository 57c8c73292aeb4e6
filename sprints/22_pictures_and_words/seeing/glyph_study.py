"""Which glyphs are trained on, and which are asked for: a family that nobody has seen, with known and unknown names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from seeing.distortions import distort
from seeing.glyphs import Glyphs, as_input, draw_style, seen
from seeing.name_tokens import NameTokens, parts

SPLIT_SEED = 22  # which names are held out; not the seed of a run


@dataclass(frozen=True)
class Training:
    """The training glyphs by name and style; a style may lack a name.

    Args:
        glyphs: all of them, one after the other.
        names: without those that are held out, in order.
        held_out: names that no training picture has, though each of their parts stands in some training name.
        pictures: of each name in each style.
        has: whether there is one.
        tokens: what names are made of.
    """

    glyphs: Glyphs
    names: list[str]
    held_out: frozenset[str]
    pictures: UInt8[Tensor, "names styles height width"]
    has: Bool[Tensor, "names styles"]
    tokens: NameTokens

    def draw(self, rows: Int64[Tensor, " rows"], generator: torch.Generator) -> UInt8[Tensor, "rows height width"]:
        """Return a picture of each name, in a random one of the styles that have it."""
        styles = torch.multinomial(self.has[rows].float(), 1, generator=generator)[:, 0]
        return self.pictures[rows, styles]


@dataclass(frozen=True)
class Examined:
    """The glyphs of a style that nobody has trained on.

    Args:
        known: glyphs whose name is a training name, in another style.
        unknown: glyphs whose name was held out.
        seen: glyphs that were taken out because a training picture is the same, pixel for pixel.
        foreign: glyphs that were taken out because the training family has no such name.
    """

    known: Glyphs
    unknown: Glyphs
    seen: int
    foreign: int


def hold_out(names: Sequence[str], share: float) -> frozenset[str]:
    """Return a share of the names at random, such that each part of them stays in two other names at least."""
    counts = Counter(part for name in names for part in {*parts(name)})
    chosen: set[str] = set()
    for row in torch.randperm(len(names), generator=torch.Generator().manual_seed(SPLIT_SEED)).tolist():
        mine = {*parts(names[row])}
        if len(chosen) < share * len(names) and all(counts[part] > 2 for part in mine):
            chosen.add(names[row])
            counts.subtract(mine)
    return frozenset(chosen)


def training_glyphs(styles: Sequence[str], share: float, most: int | None = None) -> Training:
    """Return the training glyphs.

    Args:
        styles: to train on.
        share: of the names that are held out.
        most: glyphs of each style (default: all).

    Raises:
        ValueError: an unknown style.
    """
    drawn = [draw_style(style, most) for style in styles]
    every = sorted({name for glyphs in drawn for name in glyphs.names})
    held_out = hold_out(every, share)
    names = [name for name in every if name not in held_out]
    place = {name: row for row, name in enumerate(names)}
    pictures = torch.zeros(len(names), len(styles), *drawn[0].pictures.shape[1:], dtype=torch.uint8)
    has = torch.zeros(len(names), len(styles), dtype=torch.bool)
    kept = []
    for style, glyphs in enumerate(drawn):
        glyphs = glyphs.at(torch.tensor([name in place for name in glyphs.names]))
        rows = torch.tensor([place[name] for name in glyphs.names])
        pictures[rows, style], has[rows, style] = glyphs.pictures, True
        kept.append(glyphs)
    together = Glyphs(
        [name for glyphs in kept for name in glyphs.names],
        torch.cat([glyphs.pictures for glyphs in kept]),
        sum(glyphs.left_out for glyphs in kept),
    )
    return Training(together, names, held_out, pictures, has, NameTokens(names))


def examined_glyphs(style: str, training: Training, most: int | None = None) -> Examined:
    """Return what a style that was held out asks for.

    Raises:
        ValueError: an unknown style.
    """
    glyphs, names = draw_style(style, most), {*training.names}
    before = seen(glyphs.pictures, training.glyphs.pictures)
    known = torch.tensor([name in names for name in glyphs.names])
    unknown = torch.tensor([name in training.held_out for name in glyphs.names])
    foreign = int((~known & ~unknown).sum())
    return Examined(glyphs.at(known & ~before), glyphs.at(unknown & ~before), int(before.sum()), foreign)


def glyph_batches(
    training: Training, size: int, alike: int, strength: float, generator: torch.Generator
) -> Iterator[tuple[Float32[Tensor, "pairs 1 height width"], Int64[Tensor, "pairs tokens"]]]:
    """Yield distorted pictures and their names, in random styles, without end; in each pass a name comes once.

    A batch is made of rows of names that follow one another in the alphabet, "... e with acute", "... e with breve":
    what is alike is what has to be told apart.

    Args:
        training: the glyphs.
        size: names of a batch.
        alike: names of such a row (1: all are drawn at random).
        strength: of the distortion.
        generator: draws names, styles and distortions.
    """
    tokens = training.tokens.encode(training.names)
    while True:
        first = int(torch.randint(len(tokens), (), generator=generator))
        in_rows = torch.arange(len(tokens)).roll(first).split(alike)
        order = [in_rows[row] for row in torch.randperm(len(in_rows), generator=generator).tolist()]
        for rows in torch.cat(order).split(size):
            if len(rows) > 1:
                yield distort(as_input(training.draw(rows, generator)), strength, generator), tokens[rows]
