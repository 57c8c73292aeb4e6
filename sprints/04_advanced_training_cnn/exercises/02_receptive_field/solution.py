"""Each layer adds its reach, in steps that are the product of the strides before it."""


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    """Return how many pixels in a row one feature of the last layer sees."""
    field, step = 1, 1
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        field += (kernel - 1) * dilation * step
        step *= stride
    return field
