"""A stride is mistaken for a size."""


def fresh_strides(shape):
    return tuple(shape)
