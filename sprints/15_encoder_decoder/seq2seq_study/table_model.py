"""A model that is a table: the probabilities of the next token by what stands before it, small enough for paper."""

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import Tensor

PAD, BEGIN = "_", ">"


class TableModel:
    """What decoding needs of a model (`shared.generation.beam_search.TargetModel`), read off a table.

    Args:
        tokens: the letters that it can say, the end "." among them.
        table: for each beginning, without the begin token, the probabilities of what comes next; what is not named
            has probability 0. A row that has ended goes on with the end.

    Raises:
        ValueError: probabilities of a beginning that do not add up to 1.
    """

    def __init__(self, tokens: str, table: Mapping[str, Mapping[str, float]]) -> None:
        for before, row in table.items():
            if abs(sum(row.values()) - 1) > 1e-9:
                raise ValueError(
                    f"the probabilities after {before!r} must add up to 1; they add up to {sum(row.values())}"
                )
        self.letters, self.table = PAD + BEGIN + tokens, table
        self.config = SimpleNamespace(begin_token=1, end_token=self.letters.index("."), target_vocab=len(self.letters))

    def read(self, text: str) -> Tensor:
        """Return letters as token ids (tokens)."""
        return torch.tensor([self.letters.index(letter) for letter in text])

    def write(self, row: Tensor) -> str:
        """Return token ids as letters, without begin and padding."""
        return "".join(self.letters[token] for token in row.tolist()).strip(PAD + BEGIN)

    def __call__(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Return the log-probabilities of the token after each target token (rows, tokens, vocab)."""
        return torch.stack(
            [torch.stack([self._after(row[: place + 1]) for place in range(len(row))]) for row in target]
        )

    def incremental(
        self,
        source: Tensor,
        source_mask: Tensor | None,  # noqa: ARG002 (the protocol's)
        max_tokens: int,  # noqa: ARG002
        width: int = 1,
    ) -> "TableRows":
        """Return rows of targets that go on token by token."""
        return TableRows(self, len(source) * width)

    def _after(self, row: Tensor) -> Tensor:
        said = self.write(row)
        probabilities = torch.zeros(self.config.target_vocab)
        for letter, probability in ({".": 1.0} if "." in said else self.table[said]).items():
            probabilities[self.letters.index(letter)] = probability
        return probabilities.log()


class TableRows:
    """Rows of targets of a table, as `shared.generation.beam_search.Incremental`."""

    def __init__(self, model: TableModel, rows: int) -> None:
        self.model, self.tokens = model, torch.empty(rows, 0, dtype=torch.long)

    def __call__(self, tokens: Tensor) -> Tensor:
        """Append a token to each row and return the logits of the one after it."""
        self.tokens = torch.cat([self.tokens, tokens[:, None]], dim=1)
        return torch.stack([self._row(row) for row in self.tokens])

    def reorder(self, rows: Tensor) -> None:
        """Go on with these rows, in this order."""
        self.tokens = self.tokens[rows]

    def _row(self, row: Tensor) -> Tensor:
        said = self.model.write(row)
        # A beam's rows that do not count yet may hold anything.
        known = "." in said or said in self.model.table
        return self.model._after(row) if known else self.model._after(self.model.read(BEGIN + "."))
