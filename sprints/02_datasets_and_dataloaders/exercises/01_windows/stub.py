"""Your first Dataset: windows of a series.

Fill in the three methods. Then look how far you are, as often as you like:

    uv run sprints check 02.1
    uv run sprints hint 02.1

From the last few temperatures one wants to predict the next one. With width 3, the series 10, 11, 12, 13, 14 has two
items: (10, 11, 12) with the answer 13, and (11, 12, 13) with the answer 14. Theory: note 1 of this sprint.
"""

from torch import Tensor
from torch.utils.data import Dataset


class Windows(Dataset):
    """Items are (window, answer): `width` numbers in a row, (width,), and the number that follows them, ()."""

    def __init__(self, series: Tensor, width: int) -> None:
        """Remember the series, (numbers,), and how many numbers a window has."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Return how many windows have a number behind them."""
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return window number `index`, counted from 0, and the number that follows it."""
        raise NotImplementedError
