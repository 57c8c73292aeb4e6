"""A picture that somebody sends, as the model reads it: any format and any size in, 48 x 48 pixels out.

picture = read_picture(Path("table.jpg").read_bytes())  # (3, 48, 48), red, green and blue from 0 to 255
"""

import base64
import binascii
import io
import struct
import zlib

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from seeing.drawing import PICTURE, empty_place
from seeing.scenes import SIDE

Picture = UInt8[Tensor, "3 48 48"]
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")  # others may start programs, as EPS does
MOST_PIXELS = 30_000_000
URI = "data:image/png;base64,"
# What Pillow raises on files that are cut off or made up.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)


def read_picture(content: bytes) -> Picture:
    """Return the picture of a file's bytes: its middle square, each pixel the mean of those it stands for.

    Grey pictures get three equal channels, what is transparent becomes white, and of an animation the first picture
    is taken.

    Raises:
        ValueError: no picture of a known format, a broken one, or one with more than 30 million pixels.
    """
    from PIL import Image, ImageOps

    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (*BROKEN, Image.DecompressionBombError):
        raise ValueError(f"a picture must be a file of one of the formats {', '.join(FORMATS)}; this is none") from None
    if image.width * image.height > MOST_PIXELS:  # the header says so, before anything is unpacked
        raise ValueError(
            f"a picture must have at most {MOST_PIXELS:,} pixels; got {image.width:,} x {image.height:,}: make it smaller"
        )
    try:
        image = ImageOps.exif_transpose(image).convert("RGBA")
    except BROKEN as error:
        raise ValueError(f"the picture is broken ({error}): save it anew") from None
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    flat = Image.alpha_composite(white, image).convert("RGB")
    small = ImageOps.fit(flat, (PICTURE, PICTURE), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def to_uri(picture: Picture) -> str:
    """Return a picture as an address that holds it, which a browser shows."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, format="PNG")
    return URI + base64.b64encode(file.getvalue()).decode()


def from_uri(text: object) -> Picture:
    """Return the picture that such an address holds.

    Raises:
        ValueError: it is no such address, or as `read_picture`.
    """
    if not isinstance(text, str) or not text.startswith(URI):
        raise ValueError(f"a picture is sent as text that begins with {URI}; got {str(text)[:30]!r}")
    try:
        content = base64.b64decode(text.removeprefix(URI), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows {URI} must be base64: {error}") from None
    return read_picture(content)


def empty_table() -> Picture:
    """Return the picture of a table on which nothing lies; it is no scene, for a scene has an item at least."""
    return empty_place().repeat(1, SIDE, SIDE)


def is_empty(picture: Picture) -> bool:
    """Return whether there is nothing to describe: one colour, or a table without anything on it."""
    return bool((picture == picture[:, :1, :1]).all()) or torch.equal(picture, empty_table())
