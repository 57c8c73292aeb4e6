"""How a window moves over an image: stride, padding, dilation, and at how many places it fits."""

from typing import NamedTuple


class Geometry(NamedTuple):
    """How a window moves over an image."""

    stride: int = 1
    padding: int = 0
    dilation: int = 1


GEOMETRIES = {
    "plain": Geometry(),
    "stride 2": Geometry(stride=2),
    "padding 1": Geometry(padding=1),
    "dilation 2": Geometry(dilation=2),
    "stride 2, padding 2, dilation 3": Geometry(2, 2, 3),
}


def output_size(size: int, kernel: int, geometry: Geometry) -> int:
    """Return at how many places a window fits: floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.

    Raises:
        ValueError: at none.
    """
    reach = geometry.dilation * (kernel - 1) + 1
    padded = size + 2 * geometry.padding
    if reach > padded:
        raise ValueError(
            f"a window must fit: it reaches over {reach} pixels of {padded}; add padding or make it smaller"
        )
    return (padded - reach) // geometry.stride + 1
