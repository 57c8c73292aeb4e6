"""Pictures as text: the address that holds a picture, which a browser shows and a program sends."""

import base64
import binascii
import io

import torch
from jaxtyping import UInt8
from torch import Tensor

from seeing.drawing import empty_place
from seeing.picture_squares import read_square
from seeing.scenes import SIDE

Picture = UInt8[Tensor, "3 48 48"]
URI = "data:image/png;base64,"


def to_uri(picture: Picture) -> str:
    """Return a picture as an address that holds it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, format="PNG")
    return URI + base64.b64encode(file.getvalue()).decode()


def from_uri(text: object) -> Picture:
    """Return the picture that such an address holds, as `read_square` makes it.

    Raises:
        ValueError: it is no such address, or what it holds is no picture.
    """
    if not isinstance(text, str) or not text.startswith(URI):
        raise ValueError(f"a picture is sent as text that begins with {URI}; got {str(text)[:30]!r}")
    try:
        content = base64.b64decode(text.removeprefix(URI), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows {URI} must be base64: {error}") from None
    return read_square(content, "the picture")


def empty_table() -> Picture:
    """Return the picture of a table on which nothing lies; it is no scene, for a scene has an item at least."""
    return empty_place().repeat(1, SIDE, SIDE)


def is_empty(picture: Picture) -> bool:
    """Return whether there is nothing to describe: one colour, or a table without anything on it."""
    return bool((picture == picture[:, :1, :1]).all()) or torch.equal(picture, empty_table())
