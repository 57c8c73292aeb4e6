"""One step of an LSTM.

Fill in `lstm_step`. Then look how far you are, as often as you like:

    uv run sprints check 18.2
    uv run sprints hint 18.2

The gates stand in PyTorch's order. Theory: note 3 of this sprint.
"""

from torch import Tensor


def lstm_step(
    x: Tensor, hidden: Tensor, cell: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, second_bias: Tensor
) -> Tensor:
    """Return the next hidden state and the next cell, one beside the other.

    Args:
        x: (batch, features).
        hidden: (batch, hidden).
        cell: (batch, hidden).
        weight: (4 hidden, features); its rows are those of the input gate, the forget gate, the candidate and the
            output gate, a quarter each.
        recurrent: (4 hidden, hidden), in the same order.
        bias: (4 hidden,), in the same order.
        second_bias: (4 hidden,), added as well.

    Returns:
        (2, batch, hidden): the hidden state, then the cell.
    """
    raise NotImplementedError
