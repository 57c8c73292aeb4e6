"""Fake and real news, from the hub or from a folder of one's own, cleaned."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from text_classification.labelled_texts import LabelledTexts

NEWS = "Pulk17/Fake-News-Detection-dataset"
LABELS = {"0": 0, "0.0": 0, "False": 0, "1": 1, "1.0": 1, "True": 1}  # as libraries read them
MISSING = ("", "nan", "na", "n/a", "none", "null")


def news(source: str) -> LabelledTexts:
    """Return the articles of a data set with the columns title, text and label (0 fake, 1 real), cleaned.

    Raises:
        ValueError: it cannot be loaded, lacks a column, or has other labels.
    """
    from datasets import concatenate_datasets, load_dataset

    folder = Path(source).expanduser()
    try:
        tables = load_dataset(str(folder) if folder.is_dir() else source)
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


def clean(rows: Iterable[tuple[object, object, object]]) -> LabelledTexts:
    """Return the usable rows as texts; prints how many were dropped, and why.

    Dropped are rows without a label, without a word, and those whose text came before: a copy in another split would
    be a text to remember, and copies with different labels cannot be learnt.

    Raises:
        ValueError: a label that is neither 0 nor 1 nor missing, or nothing is left.
    """
    kept: dict[str, int] = {}
    dropped: Counter[str] = Counter()
    for title, text, written in rows:
        whole = "\n".join(str(part).strip() for part in (title, text) if not is_missing(part))
        if is_missing(written):
            dropped["without a label"] += 1
            continue
        label = LABELS.get(str(written).strip())
        if label is None:
            raise ValueError(f"a label of the news is 0 (fake) or 1 (real); got {written!r} for {whole[:60]!r}")
        if not whole:
            dropped["without a word"] += 1
        elif whole in kept:
            dropped["copies" if kept[whole] == label else "copies with another label"] += 1
        else:
            kept[whole] = label
    if dropped:
        print("dropped: " + ", ".join(f"{count} {reason}" for reason, count in dropped.items()))
    if not kept:
        raise ValueError("there is no article with a label: give more data")
    return LabelledTexts(list(kept), list(kept.values()))


def is_missing(value: object) -> bool:
    """Return whether a cell is empty, in one of the spellings of tables."""
    return value is None or str(value).strip().lower() in MISSING
