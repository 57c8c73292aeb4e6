"""Many texts in two arrays, which forked workers can read without making them their own.

Fill in both functions. Then look how far you are:

    uv run sprints check 23.2
    uv run sprints hint 23.2

`values` holds the bytes (UTF-8) of all texts in one row, `offsets` where each of them begins and where the last ends.
"""

from collections.abc import Sequence

from torch import Tensor


def pack(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return texts as two tensors: (bytes,) of uint8 and (texts + 1,) of int64. There may be no text at all.

    `torch.tensor(list(b"abc"), dtype=torch.uint8)` makes a tensor of bytes.
    """
    raise NotImplementedError


def read(values: Tensor, offsets: Tensor, index: int) -> str:
    """Return text number `index`, counted from 0.

    `bytes(tensor.tolist())` makes bytes of a tensor.

    Raises:
        IndexError: there is no text of that number. (Python stops `for text in data` at this error.)
    """
    raise NotImplementedError
