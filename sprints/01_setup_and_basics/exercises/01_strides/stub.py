"""Strides.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 01.1
    uv run sprints hint 01.1

Theory: note 2 of this sprint. Plain Python is enough: no tensors are needed.
"""


def fresh_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a fresh tensor: how far apart in memory neighbours along each axis are.

    A tensor of shape (3, 4) has the strides (4, 1): the next row is 4 places further, the next column 1 place.
    """
    raise NotImplementedError


def element(memory: list[float], offset: int, strides: tuple[int, ...], index: tuple[int, ...]) -> float:
    """Return the element at an index of a view that begins at the place `offset` of the memory."""
    raise NotImplementedError
