"""From the columns of a CSV file to features, in a way that can be kept: new files get the same features.

A column of numbers is one feature, brought to mean 0 and deviation 1; any other is one feature for each of its words.
What was found in the training file is what counts later.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graph_study.csv_tables import Table, is_number, read_number
from graph_study.standardising import mean_and_deviation, standardise

MOST_WORDS = 2000


@dataclass
class TableColumns:
    """Which columns are numbers, with mean and deviation, and which are words, with the words."""

    numbers: dict[str, tuple[float, float]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, reserved: tuple[str, ...], rows: list[int]) -> "TableColumns":
        """Return what the columns are, from the rows that training may look at.

        Raises:
            ValueError: too many different words, or numbers that are not finite.
        """
        found = cls()
        for name in table.columns:
            if name in reserved:
                continue
            cells = [table.rows[row][name] for row in rows]
            if all(is_number(cell) for cell in cells):
                mean, deviation = mean_and_deviation(
                    torch.tensor([[float(cell)] for cell in cells], dtype=torch.double)
                )
                found.numbers[name] = (mean.item(), deviation.item())
            else:
                found.words[name] = sorted(set(cells))
                if len(found.words[name]) > MOST_WORDS:
                    raise ValueError(
                        f"{table.name}: the column {name} holds {len(found.words[name])} different words, at most "
                        f"{MOST_WORDS} may be there: leave names and texts out, or write kinds of them"
                    )
        return found

    @property
    def width(self) -> int:
        return len(self.numbers) + sum(map(len, self.words.values()))

    def features(self, table: Table) -> Tensor:
        """Return the features of all rows: (rows, width).

        Raises:
            ValueError: a column that is missing, a number that is none, or a word that was not there in training.
        """
        for name in (*self.numbers, *self.words):
            if name not in table.columns:
                raise ValueError(f"{table.name}:1: the column {name} is missing; the model was trained with it")
        parts = [torch.zeros(len(table.rows), 0)]
        for name, (mean, deviation) in self.numbers.items():
            cells = [read_number(cell, table.at(row), name) for row, cell in enumerate(table.column(name))]
            values = torch.tensor(cells, dtype=torch.double)[:, None]
            mean, deviation = (torch.tensor([number], dtype=torch.double) for number in (mean, deviation))
            parts.append(standardise(values, mean, deviation))
        for name, words in self.words.items():
            one_hot = torch.zeros(len(table.rows), len(words))
            for row, cell in enumerate(table.column(name)):
                if cell not in words:
                    raise ValueError(
                        f"{table.at(row)}: the column {name} has {cell!r}, which was not there in training: "
                        f"{', '.join(words[:8])}"
                    )
                one_hot[row, words.index(cell)] = 1.0
            parts.append(one_hot)
        return torch.cat(parts, dim=1)

    def plain(self) -> dict[str, Any]:
        """Return what is kept, as plain values."""
        return {"numbers": {name: list(pair) for name, pair in self.numbers.items()}, "words": self.words}

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> "TableColumns":
        """Return what `plain` returned."""
        return cls({name: (pair[0], pair[1]) for name, pair in plain["numbers"].items()}, dict(plain["words"]))
