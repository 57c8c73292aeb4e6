"""What is to be predicted, and which rows train, choose and are scored: read from a table, or drawn."""

import math
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from graph_study.csv_tables import Table, is_missing, is_number, reads_as_number

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Labels:
    """What is to be predicted of rows: class numbers, or numbers in double precision; -1 or NaN where it is not known.

    `missing` counts the words that stand where a label is not known; "" is an empty cell.
    """

    values: Tensor
    classes: list[str]
    known: list[int]
    missing: dict[str, int]


def read_labels(table: Table, kind: str) -> Labels:
    """Return the labels of nodes or graphs; text makes classes, numbers make a regression, unless `kind` says which.

    Raises:
        ValueError: no label, text where numbers are asked for, or text among numbers where `kind` is "auto".
    """
    if "label" not in table.columns:
        raise ValueError(f"{table.name}:1: the column label is missing; there are {', '.join(table.columns)}")
    cells = table.column("label")
    known = [row for row, cell in enumerate(cells) if not is_missing(cell)]
    missing = dict(Counter(cell for cell in cells if is_missing(cell)))
    if not known:
        raise ValueError(f"{table.name}: no row has a label")
    if kind == "auto":
        kind = _kind_of(table, known)
    if kind == "regression":
        values = torch.full((len(cells),), math.nan, dtype=torch.double)
        for row in known:
            if not is_number(cells[row]):
                raise ValueError(
                    f"{table.at(row)}: the column label must hold finite numbers, got {cells[row]!r}: correct it, or "
                    "leave it empty"
                )
            values[row] = float(cells[row])
        return Labels(values, [], known, missing)
    classes = sorted({cells[row] for row in known})
    if len(classes) < 2:
        raise ValueError(f"{table.name}: two classes must be there at least, got {classes[0]!r} alone")
    number_of = {name: number for number, name in enumerate(classes)}
    return Labels(torch.tensor([number_of.get(cell, -1) for cell in cells]), classes, known, missing)


def _kind_of(table: Table, known: list[int]) -> str:
    """Return whether labels are classes or numbers; a word among numbers is a slip more often than a class."""
    words = [row for row in known if not reads_as_number(table.rows[row]["label"])]
    if 0 < len(words) < len(known):
        raise ValueError(
            f"{table.at(words[0])}: the label {table.rows[words[0]]['label']!r} is no number, others are: correct it, "
            "leave it empty, or say --target classification if the numbers are names of classes"
        )
    return "classification" if words else "regression"


def read_splits(table: Table, labels: Labels, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the rows of each split: from the column, or drawn, 60 : 20 : 20 of each class.

    Where nodes belong to several graphs, whole graphs are drawn.

    Raises:
        ValueError: an unknown word, no label, an empty split, a class without an example to train on, or numbers that
            are all the same.
    """
    split_of: dict[int, str] = {}
    if "split" in table.columns:
        for row, word in enumerate(table.column("split")):
            label = table.rows[row]["label"]
            if word not in SPLITS and not is_missing(word):
                raise ValueError(f"{table.at(row)}: split must be one of {', '.join(SPLITS)}; got {word!r}")
            if is_missing(word) != is_missing(label):
                raise ValueError(
                    f"{table.at(row)}: a row needs label and split or neither, got label {label!r} and split {word!r}"
                )
            split_of |= {} if is_missing(word) else {row: word}
    else:
        split_of = _draw_splits(table, labels, generator)
    splits = {name: torch.tensor([row for row, word in split_of.items() if word == name]).long() for name in SPLITS}
    for name, rows in splits.items():
        # One number has no spread that R2 could explain a part of.
        least = 1 if labels.classes else 2
        if len(rows) < least:
            raise ValueError(f"{table.name}: the split {name} needs {least} rows or more, got {len(rows)}")
        if not labels.classes and name != "validation" and len(labels.values[rows].unique()) == 1:
            raise ValueError(
                f"{table.name}: all labels of the split {name} are {labels.values[rows[0]].item():g}: numbers that do "
                "not differ leave nothing to learn or to explain"
            )
        if not labels.classes and name != "validation" and len(labels.values[rows].unique()) == 1:
            raise ValueError(
                f"{table.name}: all labels of the split {name} are {labels.values[rows[0]].item():g}: numbers that do "
                "not differ leave nothing to learn or to explain"
            )
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
