"""Pad, and then add up the products at each place."""

from torch import Tensor


def convolve(picture: Tensor, weights: Tensor, stride: int, padding: int) -> Tensor:
    """Return the map: at each place of the filter, the sum of the products with what lies under it."""
    height, width = picture.shape
    padded = picture.new_zeros(height + 2 * padding, width + 2 * padding)
    padded[padding : padding + height, padding : padding + width] = picture
    kernel = len(weights)
    rows = (height + 2 * padding - kernel) // stride + 1
    columns = (width + 2 * padding - kernel) // stride + 1
    result = picture.new_zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            result[row, column] = (padded[top : top + kernel, left : left + kernel] * weights).sum()
    return result
