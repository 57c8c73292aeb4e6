"""Zeros come in on the left and above alone."""

import torch
from torch import Tensor
from torch.nn import functional


def convolve(picture: Tensor, weights: Tensor, stride: int, padding: int) -> Tensor:
    padded = functional.pad(picture, [padding, 0, padding, 0])
    kernel = len(weights)
    rows, columns = ((size - kernel) // stride + 1 for size in padded.shape)
    result = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            window = padded[row * stride : row * stride + kernel, column * stride : column * stride + kernel]
            result[row, column] = (window * weights).sum()
    return result
