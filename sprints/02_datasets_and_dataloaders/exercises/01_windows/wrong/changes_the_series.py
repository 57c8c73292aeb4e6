"""Scaled in place: a slice is a view, so the series itself becomes smaller with every item."""

from torch import Tensor
from torch.utils.data import Dataset


class Windows(Dataset):
    def __init__(self, series: Tensor, width: int) -> None:
        self.series, self.width = series, width

    def __len__(self) -> int:
        return len(self.series) - self.width

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        window = self.series[index : index + self.width]
        window /= 10
        return window, self.series[index + self.width]
