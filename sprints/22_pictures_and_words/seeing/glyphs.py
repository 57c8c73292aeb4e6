"""The glyphs of matplotlib's DejaVu fonts with their Unicode names: real pictures with real names, offline.

    glyphs = draw_style("Serif")
    glyphs.names[0], glyphs.pictures[0]  # "exclamation mark" and 32 x 32 pixels

The fonts come in families (Sans, Sans Mono, Serif) and each family in four styles. A style, or a family, is held out
whole: its shapes have never been seen, though the names have.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor

FILES = {
    "Sans": "DejaVuSans", "Sans Oblique": "DejaVuSans-Oblique", "Sans Bold": "DejaVuSans-Bold",
    "Sans Bold Oblique": "DejaVuSans-BoldOblique",
    "Mono": "DejaVuSansMono", "Mono Oblique": "DejaVuSansMono-Oblique", "Mono Bold": "DejaVuSansMono-Bold",
    "Mono Bold Oblique": "DejaVuSansMono-BoldOblique",
    "Serif": "DejaVuSerif", "Serif Italic": "DejaVuSerif-Italic", "Serif Bold": "DejaVuSerif-Bold",
    "Serif Bold Italic": "DejaVuSerif-BoldItalic",
}  # fmt: skip
STYLES = tuple(FILES)
SIDE = 32  # pixels
POINTS, BASELINE = 20, 23  # of a letter, in pixels: its size, and how far below the upper edge it stands


@dataclass(frozen=True)
class Glyphs:
    """Pictures of glyphs and their names, in the order of their code points.

    Args:
        names: in small letters.
        pictures: 255 is ink, 0 is paper.
        left_out: named glyphs of the font that have no ink (spaces) or do not fit into the picture.
    """

    names: list[str]
    pictures: UInt8[Tensor, "glyphs height width"]
    left_out: int

    def __len__(self) -> int:
        return len(self.names)

    def at(self, rows: Bool[Tensor, " glyphs"]) -> "Glyphs":
        """Return the glyphs where `rows` is True."""
        return Glyphs([self.names[row] for row in rows.nonzero()[:, 0].tolist()], self.pictures[rows], self.left_out)


def named_codes(style: str) -> list[int]:
    """Return the code points for which a font has a glyph and Unicode has a name, in order.

    Raises:
        ValueError: an unknown style.
    """
    from matplotlib.ft2font import FT2Font

    if style not in FILES:
        raise ValueError(f"a style must be one of {', '.join(STYLES)}; got {style!r}")
    codes = FT2Font(str(font_file(style))).get_charmap()
    return sorted(code for code in codes if unicodedata.name(chr(code), ""))


def font_file(style: str) -> Path:
    """Return the font that ships with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{FILES[style]}.ttf"


def draw_style(style: str, most: int | None = None) -> Glyphs:
    """Return the named glyphs of a style, in the order of their code points.

    Args:
        style: one of STYLES.
        most: only so many of them, the first ones.

    Raises:
        ValueError: an unknown style.
    """
    return draw(style, named_codes(style)[:most])


def draw(style: str, codes: Sequence[int]) -> Glyphs:
    """Return glyphs of a style, each 32 x 32: all on one line of writing, each with its ink in the middle.

    Args:
        style: one of STYLES.
        codes: among its `named_codes`; for any other one the font draws an empty box.
    """
    from PIL import Image, ImageDraw, ImageFont

    # The basic layout draws one glyph for one code point, whatever else is installed on the machine.
    font = ImageFont.truetype(str(font_file(style)), POINTS, layout_engine=ImageFont.Layout.BASIC)
    names, pictures, left_out = [], [], 0
    for code in codes:
        left, top, right, bottom = (round(edge) for edge in font.getbbox(chr(code), anchor="ls"))
        x = (SIDE - left - right) // 2
        canvas = Image.new("L", (SIDE, SIDE), 0)
        ImageDraw.Draw(canvas).text((x, BASELINE), chr(code), font=font, fill=255, anchor="ls")
        pixels = np.array(canvas)
        fits = x + left >= 0 and x + right <= SIDE and BASELINE + top >= 0 and BASELINE + bottom <= SIDE
        if not fits or not pixels.any():
            left_out += 1
            continue
        names.append(unicodedata.name(chr(code)).lower())
        pictures.append(pixels)
    return Glyphs(names, torch.from_numpy(np.stack(pictures)), left_out)


def as_input(pictures: UInt8[Tensor, "glyphs height width"]) -> Float32[Tensor, "glyphs 1 height width"]:
    """Return pictures as a tower takes them: one channel, from -1 (paper) to 1 (ink)."""
    return pictures[:, None].float() / 127.5 - 1


def seen(
    pictures: UInt8[Tensor, "glyphs height width"], training: UInt8[Tensor, "others height width"]
) -> Bool[Tensor, " glyphs"]:
    """Return which pictures stand among the training pictures, pixel for pixel."""
    known = {picture.tobytes() for picture in training.numpy()}
    return torch.tensor([picture.tobytes() in known for picture in pictures.numpy()], dtype=torch.bool)


def ceiling(pictures: UInt8[Tensor, "glyphs height width"], k: int = 1) -> float:
    """Return the best recall@k that there can be, from names to pictures or back.

    Glyphs that look the same can only be guessed among: of m equal pictures each is found with probability
    min(k, m) / m, which makes min(k, m) of the m.
    """
    groups = Counter(picture.tobytes() for picture in pictures.numpy())
    return sum(min(k, size) for size in groups.values()) / len(pictures)
