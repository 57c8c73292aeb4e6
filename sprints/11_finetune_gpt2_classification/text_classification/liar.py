"""LIAR (Wang 2017): short statements of politicians in six degrees of truth, with official splits."""

import csv

from shared.lab.datasets import fetch
from text_classification.labelled_texts import LabelledTexts

LIAR_CLASSES = ("pants-fire", "false", "barely-true", "half-true", "mostly-true", "true")
# The columns. The counts of a speaker's statements by class come in an order of their own; none counts "true".
LABEL, STATEMENT = 1, 2
COUNTS = {"pants-fire": 12, "false": 9, "barely-true": 8, "half-true": 10, "mostly-true": 11}


def liar_rows(split: str) -> list[list[str]]:
    """Return the rows of an official file of LIAR: "train", "valid" or "test"."""
    with open(fetch("liar", f"{split}.tsv"), encoding="utf-8", newline="") as file:
        # A quotation mark is a character like any other in these files.
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def liar_statements(split: str) -> LabelledTexts:
    """Return the statements of LIAR, without the other columns."""
    rows = liar_rows(split)
    return LabelledTexts([row[STATEMENT] for row in rows], [LIAR_CLASSES.index(row[LABEL]) for row in rows])


def speaker_counts(split: str) -> tuple[list[list[int]], list[int]]:
    """Return how many statements of each class but "true" LIAR counts for the speaker, and the labels.

    The counts include the statement of the row.
    """
    rows = liar_rows(split)
    counts = [[int(float(row[COUNTS[name]])) for name in LIAR_CLASSES if name in COUNTS] for row in rows]
    return counts, [LIAR_CLASSES.index(row[LABEL]) for row in rows]
