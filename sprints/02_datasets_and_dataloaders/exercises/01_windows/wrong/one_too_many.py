"""The last window has no answer."""

from torch import Tensor
from torch.utils.data import Dataset


class Windows(Dataset):
    def __init__(self, series: Tensor, width: int) -> None:
        self.series, self.width = series, width

    def __len__(self) -> int:
        return len(self.series) - self.width + 1

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.series[index : index + self.width], self.series[index + self.width]
