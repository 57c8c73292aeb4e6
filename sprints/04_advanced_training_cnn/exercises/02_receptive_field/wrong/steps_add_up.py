"""Strides are added and not multiplied."""


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    field, step = 1, 1
    for index, (kernel, dilation) in enumerate(zip(kernels, dilations, strict=True)):
        step = sum(strides[:index]) if index else 1
        field += (kernel - 1) * dilation * step
    return field
