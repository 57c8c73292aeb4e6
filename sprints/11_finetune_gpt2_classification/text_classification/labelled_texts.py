"""The data sets of this sprint, each split in three: spoiled recipes, LIAR, and news from the hub or a folder.

Every text comes with a label; the classes have names. Recipes are endless, so their splits are of any size and
disjoint; LIAR has official splits; the news has none and is split here, each class in the same proportion.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from sklearn.model_selection import train_test_split

from shared.lab.datasets import fetch
from shared.text.cookbook import STREAMS, Cookbook
from text_classification.spoiled_recipes import GENUINE, SPOILED, Spoiler

DATA = ("recipes", "liar", "fake-news")
DISHES = ("traybake",)  # one kind of dish needs minutes of training; all six need most of an hour
NEWS = "Pulk17/Fake-News-Detection-dataset"
RECIPE_CLASSES = ("genuine", "spoiled")
LIAR_CLASSES = ("pants-fire", "false", "barely-true", "half-true", "mostly-true", "true")
# Columns of LIAR. The counts of a speaker's statements by class come in an order of their own; none counts "true".
LIAR_LABEL, LIAR_STATEMENT = 1, 2
LIAR_COUNTS = {"pants-fire": 12, "false": 9, "barely-true": 8, "half-true": 10, "mostly-true": 11}


@dataclass(frozen=True)
class Texts:
    """Texts and the number of each one's class."""

    texts: list[str]
    labels: list[int]

    def __post_init__(self) -> None:
        if not self.texts or len(self.texts) != len(self.labels):
            raise ValueError(f"texts need a label each; got {len(self.texts)} texts and {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.texts)


class Splits(NamedTuple):
    """Names of the classes, what to train on, what to choose on, and what to score once."""

    classes: tuple[str, ...]
    train: Texts
    validation: Texts
    test: Texts


def load_splits(
    data: str,
    *,
    seed: int = 0,
    train: int = 8000,
    validation: int = 500,
    test: int = 2000,
    dishes: tuple[str, ...] = DISHES,
    pairs: bool = True,
    source: str = NEWS,
    limit: int | None = None,
) -> Splits:
    """Return a data set, split.

    Args:
        data: one of `DATA`.
        seed: another seed trains on other recipes. What is validated and tested on is the same for all.
        train, validation, test: how many recipes to train, validate and test on.
        dishes: what the recipes are of (see `shared/text/cookbook.toml`).
        pairs: train on recipes before and after they were spoiled. Held-out recipes are always of different ones.
        source: the news: a name of the hub, or a folder of .csv or .parquet files with the columns title, text, label.
        limit: keep only this many texts of each split of LIAR or the news (default: all).

    Raises:
        ValueError: an unknown data set, or texts that cannot be used; says which and why.
    """
    if data == "recipes":
        return Splits(
            RECIPE_CLASSES,
            recipes("train", train, seed, dishes, pairs=pairs),
            recipes("validation", validation, dishes=dishes),
            recipes("test", test, dishes=dishes),
        )
    if data == "liar":
        splits = Splits(LIAR_CLASSES, *(liar(name) for name in ("train", "valid", "test")))
    elif data == "fake-news":
        splits = split_in_three(news(source), ("fake", "real"))
    else:
        raise ValueError(f"data must be one of {', '.join(DATA)}; got {data!r}")
    return Splits(splits.classes, *(Texts(part.texts[:limit], part.labels[:limit]) for part in splits[1:]))


def recipes(stream: str, count: int, seed: int = 0, dishes: tuple[str, ...] = DISHES, *, pairs: bool = False) -> Texts:
    """Return so many recipes, every second one spoiled: in pairs it is the one before it that was spoiled.

    Each seed has its own range of the stream of training recipes; the validation and test recipes are always the same.
    """
    cookbook, first = Cookbook(dishes=dishes), 1_000_000 * seed
    spoiler, generator = Spoiler(cookbook), torch.Generator().manual_seed(STREAMS.index(stream) + len(STREAMS) * seed)
    texts, labels = [], [SPOILED if index % 2 else GENUINE for index in range(count)]
    for index, label in enumerate(labels):
        text = cookbook.recipe(stream, first + (index // 2 if pairs else index)).text
        texts.append(spoiler.spoil(text, generator) if label == SPOILED else text)
    return Texts(texts, labels)


def liar_rows(split: str) -> list[list[str]]:
    """Return the rows of an official file of LIAR: "train", "valid" or "test"."""
    with open(fetch("liar", f"{split}.tsv"), encoding="utf-8", newline="") as file:
        # A quotation mark is a character like any other in these files.
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def liar(split: str) -> Texts:
    """Return the statements of LIAR, without the other columns."""
    rows = liar_rows(split)
    return Texts([row[LIAR_STATEMENT] for row in rows], [LIAR_CLASSES.index(row[LIAR_LABEL]) for row in rows])


def liar_history(split: str) -> tuple[list[list[int]], list[int]]:
    """Return how many statements of each class but "true" LIAR counts for the speaker, and the labels.

    The counts include the statement of the row.
    """
    rows = liar_rows(split)
    counts = [[int(float(row[LIAR_COUNTS[name]])) for name in LIAR_CLASSES if name in LIAR_COUNTS] for row in rows]
    return counts, [LIAR_CLASSES.index(row[LIAR_LABEL]) for row in rows]


def news(source: str) -> Texts:
    """Return the articles of a data set with the columns title, text and label (0 fake, 1 real), cleaned.

    Raises:
        ValueError: it cannot be loaded, lacks a column, or has other labels.
    """
    from pathlib import Path

    from datasets import concatenate_datasets, load_dataset

    try:
        tables = load_dataset(str(Path(source).expanduser()) if Path(source).expanduser().is_dir() else source)
    except Exception as error:  # the library raises its own kinds, and those of the hub and of file formats
        raise ValueError(
            f"cannot load {source!r} ({str(error).strip().splitlines()[0]}): name a data set of the hub when "
            "there is a network, or a folder of .csv, .tsv or .parquet files"
        ) from error
    table = concatenate_datasets(list(tables.values()))
    if missing := {"title", "text", "label"} - set(table.column_names):
        raise ValueError(
            f"the news needs the columns title, text and label; {source} lacks {', '.join(sorted(missing))}"
        )
    return clean(zip(table["title"], table["text"], table["label"], strict=True))


def clean(rows: Iterable[tuple[str | None, str | None, int | None]]) -> Texts:
    """Return the usable rows as texts; prints how many were dropped, and why.

    Dropped are rows without a label, without a word, and those whose text came before: a copy in another split would
    be a text to remember, and copies with different labels cannot be learnt.
    """
    kept: dict[str, int] = {}
    dropped: Counter[str] = Counter()
    for title, text, label in rows:
        whole = "\n".join(part.strip() for part in (title, text) if part and part.strip())
        if label is None:
            dropped["without a label"] += 1
        elif not whole:
            dropped["without a word"] += 1
        elif whole in kept:
            dropped["copies" if kept[whole] == int(label) else "copies with another label"] += 1
        elif int(label) not in (0, 1):
            raise ValueError(f"a label of the news is 0 (fake) or 1 (real); got {label!r} for {whole[:60]!r}")
        else:
            kept[whole] = int(label)
    if dropped:
        print("dropped: " + ", ".join(f"{count} {reason}" for reason, count in dropped.items()))
    return Texts(list(kept), list(kept.values()))


def split_in_three(
    data: Texts, classes: tuple[str, ...], *, shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
) -> Splits:
    """Return data cut at random, each class in the same proportion (a stratified split).

    Raises:
        ValueError: a class too small to be in every part.
    """
    fewest = min(Counter(data.labels)[label] for label in range(len(classes)))
    if fewest < 10:
        raise ValueError(f"a stratified split needs ten texts of each class, the smallest has {fewest}: give more data")
    pairs = list(zip(data.texts, data.labels, strict=True))
    train, rest = train_test_split(pairs, train_size=shares[0], stratify=data.labels, random_state=seed)
    validation, test = train_test_split(
        rest,
        train_size=shares[1] / (shares[1] + shares[2]),
        stratify=[label for _, label in rest],
        random_state=seed,
    )
    return Splits(classes, *(Texts(*map(list, zip(*part, strict=True))) for part in (train, validation, test)))
