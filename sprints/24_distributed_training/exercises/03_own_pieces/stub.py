"""A step of which every process does its piece: what is kept, reduce-scatter, and ZeRO stage 1.

All processes live in lists here: element r is what process r has. Fill in the three functions. Then look how far you
are, as often as you like:

    uv run sprints check 24.3
    uv run sprints hint 24.3

Theory: note 4 of this sprint.
"""

from torch import Tensor


def bytes_kept(stage: int, processes: int, weight: float, gradient: float, states: float) -> float:
    """Return the bytes that a process keeps for each parameter of the model.

    Args:
        stage: 0 shares nothing, 1 states, 2 gradients as well, 3 weights as well
        processes: that share
        weight: bytes of a weight
        gradient: bytes of a gradient
        states: bytes of what the optimizer keeps for a parameter
    """
    raise NotImplementedError


def reduce_scatter(rows: list[Tensor]) -> list[Tensor]:
    """Return the piece of the mean that each process gets.

    With N processes a row is cut into pieces of equal length, its own divided by N and rounded up. The last pieces may
    be shorter, or empty.

    Args:
        rows: (numbers,) of each process
    """
    raise NotImplementedError


def step(
    weight: Tensor, gradients: list[Tensor], averages: list[Tensor], rate: float, momentum: float
) -> tuple[Tensor, list[Tensor]]:
    """Return the weight and the averages after a step in which each process moves its own piece (stage 1).

    The optimizer is gradient descent with momentum: an average becomes momentum times itself plus the mean gradient,
    and the weight goes back by rate times the new average. Process r has the averages of its piece only.

    Args:
        weight: (numbers,), the same in every process
        gradients: (numbers,) of each process
        averages: of each process, as long as its piece
        rate: learning rate
        momentum: what is left of an average

    Returns:
        (numbers,), gathered from all pieces; the new averages of each process
    """
    raise NotImplementedError
