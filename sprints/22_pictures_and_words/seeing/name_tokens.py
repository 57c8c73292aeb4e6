"""Names as tokens: a word each, and a digit each.

tokens = NameTokens(["latin small letter a", "braille pattern dots-12"])
tokens.encode(["latin small letter a"])  # (1, 6): four ids, the end, and more of it
"""

import re

import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn import functional


def parts(name: str) -> list[str]:
    """Return the words of a name, and its digits one by one: "braille pattern dots-12" has five parts."""
    return re.findall(r"[a-z]+|\d", name)


class NameTokens:
    """Names as token ids: one for each part that the training names have; 0 ends a name, and pads it.

    Args:
        names: the training names.
    """

    def __init__(self, names: list[str]) -> None:
        self.ids = {part: number for number, part in enumerate(sorted({p for n in names for p in parts(n)}), start=1)}
        self.context = 1 + max(len(parts(name)) for name in names)

    def __len__(self) -> int:
        return 1 + len(self.ids)

    def known(self, name: str) -> bool:
        """Return whether each part of a name is known, and the name is no longer than the longest one."""
        return len(parts(name)) < self.context and all(part in self.ids for part in parts(name))

    def encode(self, names: list[str]) -> Int64[Tensor, "names tokens"]:
        """Return the token ids of names, padded to the longest possible one.

        Raises:
            ValueError: a part of a name that no training name has, or too many of them.
        """
        if unknown := [name for name in names if not self.known(name)]:
            raise ValueError(
                f"a name must have at most {self.context - 1} parts, all of them in training names; "
                f"{unknown[0]!r} has others"
            )
        rows = torch.zeros(len(names), self.context, dtype=torch.int64)
        for row, name in zip(rows, names, strict=True):
            ids = [self.ids[part] for part in parts(name)]
            row[: len(ids)] = torch.tensor(ids)
        return rows

    def bags(self, names: list[str]) -> Float32[Tensor, "names vocab"]:
        """Return each name as how often it has each part, as a unit vector: a bag of words, which has no order."""
        counts = torch.zeros(len(names), len(self))
        tokens = self.encode(names)
        counts.scatter_add_(1, tokens, (tokens > 0).float())
        return functional.normalize(counts, dim=1)
