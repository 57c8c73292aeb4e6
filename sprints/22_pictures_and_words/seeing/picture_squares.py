"""One picture from a file or from bytes, safely: whatever is wrong with it is a ValueError that says what."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from seeing.preprocessing import shorter_side

# Formats that are nothing but pixels. Others call programs (EPS), or are made of many parts.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ppm")
# A file of a few kilobytes may say that it has a billion pixels. This is a photograph of 8,000 x 6,250.
MOST_PIXELS = 50_000_000
LONGEST = 16  # how many times as long as its other side a picture may be


def read_square(source: Path | bytes, name: str, size: int = 48) -> UInt8[Tensor, "3 size size"]:
    """Return a picture as a square: turned as the camera was held, its shorter side `size` pixels, its middle cut out.

    One channel becomes three equal ones, 16 bits become 8, and what is transparent becomes white. Of a film it is the
    first picture.

    Args:
        source: a file, or what is in it.
        name: what an error calls it.
        size: pixels of a side.

    Raises:
        ValueError: no file, nothing in it, no picture, a broken one, too many pixels, or far longer than wide.
    """
    if isinstance(source, Path):
        if not source.is_file():
            raise ValueError(f"{name}: there is no such file")
        source = source.read_bytes()
    if not source:
        raise ValueError(f"{name}: the file is empty")
    try:
        with warnings.catch_warnings():
            # Pillow warns of many pixels and of broken metadata; we count pixels ourselves, and read no metadata.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(source), formats=FORMATS) as image:
                _check_sides(name, *image.size)
                image.load()
                return _square(_rgb(ImageOps.exif_transpose(image), name), size)
    except UnidentifiedImageError:
        raise ValueError(f"{name}: no picture that can be read; formats are {', '.join(FORMATS)}") from None
    except Image.DecompressionBombError:
        raise ValueError(f"{name}: more than {MOST_PIXELS:,} pixels: make it smaller") from None
    except _Refused as refused:
        raise ValueError(str(refused)) from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders let through whatever a broken file makes them raise
        raise ValueError(f"{name}: the picture is broken ({error}): save it again") from None


class _Refused(Exception):
    """A picture that Pillow reads, and we do not."""


def _check_sides(name: str, width: int, height: int) -> None:
    sides = f"{width:,} x {height:,}"
    if width * height > MOST_PIXELS:
        raise _Refused(f"{name}: {sides} pixels are more than {MOST_PIXELS:,}: make it smaller")
    if max(width, height) > LONGEST * min(width, height):
        raise _Refused(f"{name}: {sides} pixels: one side is more than {LONGEST} times the other: cut it")


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "F":
        raise _Refused(f"{name}: its pixels are floating-point numbers of an unknown range: save it with 8 bits")
    if image.mode.startswith("I"):
        # 16 bits; converted by Pillow, all above 255 would be white.
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _square(image: Image.Image, size: int) -> UInt8[Tensor, "3 size size"]:
    """Resize and cut as `seeing.preprocessing.Preprocessing` does; Pillow needs no table of all pixels for it."""
    height, width = shorter_side(image.height, image.width, size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()
