"""A step is worth one pixel everywhere."""


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    return 1 + sum((kernel - 1) * dilation for kernel, dilation in zip(kernels, dilations, strict=True))
