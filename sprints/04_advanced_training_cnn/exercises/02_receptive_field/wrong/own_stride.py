"""The stride of a layer counts for itself."""


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    field, step = 1, 1
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        step *= stride
        field += (kernel - 1) * dilation * step
    return field
