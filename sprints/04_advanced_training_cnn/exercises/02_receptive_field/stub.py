"""How many pixels a feature of a stack of layers sees.

Fill in `receptive_field`. Then look how far you are, as often as you like:

    uv run sprints check 04.2
    uv run sprints hint 04.2

Theory: note 2 of this sprint.
"""


def receptive_field(kernels: list[int], strides: list[int], dilations: list[int]) -> int:
    """Return how many pixels in a row one feature of the last layer sees.

    Args:
        kernels: length of each layer's window, from the first layer to the last; pooling is a layer like any other.
        strides: stride of each layer.
        dilations: dilation of each layer.
    """
    raise NotImplementedError
