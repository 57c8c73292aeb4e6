"""What is to be predicted, and which rows train, choose and are scored: read from a table, or drawn."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from graph_study.csv_tables import Table, is_number, read_number

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Labels:
    """What is to be predicted of rows: class numbers or numbers, -1 or NaN where it is not known."""

    values: Tensor
    classes: list[str]
    known: list[int]


def read_labels(table: Table, kind: str) -> Labels:
    """Return the labels of nodes or graphs; text makes classes, numbers make a regression, unless `kind` says which.

    Raises:
        ValueError: no label, or text where numbers are asked for.
    """
    if "label" not in table.columns:
        raise ValueError(f"{table.name}:1: the column label is missing; there are {', '.join(table.columns)}")
    cells = table.column("label")
    known = [row for row, cell in enumerate(cells) if cell]
    if not known:
        raise ValueError(f"{table.name}: no row has a label")
    if kind == "auto":
        kind = "regression" if all(is_number(cells[row]) for row in known) else "classification"
    if kind == "regression":
        values = torch.full((len(cells),), math.nan)
        for row in known:
            values[row] = read_number(cells[row], table.at(row), "label")
        return Labels(values, [], known)
    classes = sorted({cells[row] for row in known})
    if len(classes) < 2:
        raise ValueError(f"{table.name}: two classes must be there at least, got {classes[0]!r} alone")
    return Labels(torch.tensor([classes.index(cell) if cell else -1 for cell in cells]), classes, known)


def read_splits(table: Table, labels: Labels, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the rows of each split: from the column, or drawn, 60 : 20 : 20 of each class.

    Where nodes belong to several graphs, whole graphs are drawn.

    Raises:
        ValueError: an unknown word, no label, an empty split, or a class without an example to train on.
    """
    split_of: dict[int, str] = {}
    if "split" in table.columns:
        for row, word in enumerate(table.column("split")):
            if word not in (*SPLITS, ""):
                raise ValueError(f"{table.at(row)}: split must be one of {', '.join(SPLITS)}; got {word!r}")
            if bool(word) != bool(table.rows[row]["label"]):
                raise ValueError(f"{table.at(row)}: a row needs label and split or neither, got split {word!r}")
            split_of |= {row: word} if word else {}
    else:
        split_of = _draw_splits(table, labels, generator)
    splits = {name: torch.tensor([row for row, word in split_of.items() if word == name]).long() for name in SPLITS}
    for name, rows in splits.items():
        # One number has no spread that R2 could explain a part of.
        least = 1 if labels.classes else 2
        if len(rows) < least:
            raise ValueError(f"{table.name}: the split {name} needs {least} rows or more, got {len(rows)}")
    trained = set(labels.values[splits["train"]].tolist())
    for number, name in enumerate(labels.classes):
        if number not in trained:
            first = next(row for row in labels.known if labels.values[row] == number)
            raise ValueError(
                f"{table.at(first)}: the class {name!r} has no example to train on: add one, or leave it out"
            )
    return splits


def _draw_splits(table: Table, labels: Labels, generator: torch.Generator) -> dict[int, str]:
    """Return a split for each labelled row."""
    by_graph = table.name == "nodes.csv" and "graph" in table.columns
    groups: dict[object, list[int]] = {}
    for row in labels.known:
        key = table.rows[row]["graph"] if by_graph else labels.values[row].item() if labels.classes else ""
        groups.setdefault(key, []).append(row)
    # Units that stay together: graphs in one draw, or single rows in a draw for each class.
    draws = [list(groups.values())] if by_graph else [[[row] for row in group] for group in groups.values()]
    split_of = {}
    for units in draws:
        order = torch.randperm(len(units), generator=generator).tolist()
        ends = (max(1, round(0.6 * len(units))), round(0.8 * len(units)))
        for rank, unit in enumerate(order):
            word = SPLITS[(rank >= ends[0]) + (rank >= ends[1])]
            split_of |= dict.fromkeys(units[unit], word)
    return split_of
