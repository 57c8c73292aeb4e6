"""Windows are added as if they did not overlap."""


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    field, step = 0, 1
    for kernel, stride, dilation in zip(kernels, strides, dilations, strict=True):
        field += kernel * dilation * step
        step *= stride
    return field
