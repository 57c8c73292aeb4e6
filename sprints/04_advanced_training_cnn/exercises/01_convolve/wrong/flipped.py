"""The filter is flipped, as in mathematics."""

import torch
from torch import Tensor
from torch.nn import functional


def convolve(picture: Tensor, weights: Tensor, stride: int, padding: int) -> Tensor:
    padded = functional.pad(picture, [padding] * 4)
    kernel = len(weights)
    rows, columns = ((size - kernel) // stride + 1 for size in padded.shape)
    result = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            window = padded[row * stride : row * stride + kernel, column * stride : column * stride + kernel]
            result[row, column] = (window * weights.flip(0, 1)).sum()
    return result
