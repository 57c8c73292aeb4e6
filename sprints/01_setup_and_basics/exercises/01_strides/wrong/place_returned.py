"""The place is returned and not what lies there."""


def element(memory, offset, strides, index):
    return offset + sum(steps * stride for steps, stride in zip(index, strides, strict=True))
