"""A stride is the product of the sizes to its right; a place is the offset plus index times stride, added up."""


def fresh_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a fresh tensor: how far apart in memory neighbours along each axis are."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def element(memory: list[float], offset: int, strides: tuple[int, ...], index: tuple[int, ...]) -> float:
    """Return the element at an index of a view that begins at the place `offset` of the memory."""
    place = offset
    for steps, stride in zip(index, strides, strict=True):
        place += steps * stride
    return memory[place]
