"""The series is kept whole; a window is cut out when it is asked for."""

from torch import Tensor
from torch.utils.data import Dataset


class Windows(Dataset):
    """Items are (window, answer): `width` numbers in a row, (width,), and the number that follows them, ()."""

    def __init__(self, series: Tensor, width: int) -> None:
        self.series, self.width = series, width

    def __len__(self) -> int:
        # The last number is an answer and never the end of a window.
        return len(self.series) - self.width

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        end = index + self.width
        return self.series[index:end], self.series[end]
