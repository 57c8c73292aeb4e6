"""Fake and real news, from the hub or from a folder of one's own, cleaned."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from text_classification.labelled_texts import LabelledTexts

NEWS = "Pulk17/Fake-News-Detection-dataset"


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


def clean(rows: Iterable[tuple[str | None, str | None, int | None]]) -> LabelledTexts:
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
    return LabelledTexts(list(kept), list(kept.values()))
