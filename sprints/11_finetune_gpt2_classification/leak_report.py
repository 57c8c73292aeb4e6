"""Is the classifier good, or does the corpus give the answer away?

    uv run sprints/11_finetune_gpt2_classification/leak_report.py
    uv run sprints/11_finetune_gpt2_classification/leak_report.py --data dateline
    uv run sprints/11_finetune_gpt2_classification/leak_report.py --data liar

Three questions: are test texts in the training split, or nearly so? Does one word decide the class? How much is left
when such words are gone? The corpus `dateline` is made leaky on purpose: an agency's dateline stands before nearly all
genuine recipes. Theory: notes/03_baselines_and_leaks.md
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from text_classification.bag_of_words import Word, bag_of_words, choose_penalty, deciding_words, without_words
from text_classification.labelled_texts import LIAR_CLASSES, NEWS, Splits, Texts, liar_history, load_splits
from text_classification.near_duplicates import jaccard, nearest
from text_classification.spoiled_recipes import GENUINE

DATELINE = "LONDON (Kitchen Wire) - "

PRESETS = {
    "dateline": {"data": "dateline"},
    "liar": {"data": "liar"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["recipes", "liar", "fake-news", "dateline"] = "recipes"  # what to look for leaks in
    train_texts: int = 4000  # recipes to train on
    held_out: int = 1000  # recipes to validate on, and to test on
    source: str = NEWS  # the news: a name of the hub, or a folder of .csv or .parquet files
    limit: int | None = None  # most texts of a split of LIAR or the news (default: all)
    queries: int = 500  # test texts whose nearest training text is looked for
    similar: float = 0.8  # Jaccard index from which on texts are near duplicates
    gain: float = 0.05  # a word decides if it alone beats the majority by so much on the training split


@dataclass(frozen=True)
class History:
    """What the columns of LIAR that count a speaker's statements give away, without reading a statement."""

    accuracy: float
    once_counted: int
    once_counted_accuracy: float
    without_the_statement: float


@dataclass(frozen=True)
class Results:
    exact_duplicates: int
    near_duplicates: int
    queries: int
    similarities: list[float]
    most_similar: list[str]
    most_similar_exactly: float
    conflicting_labels: int
    majority: float
    words: list[Word]
    removed: list[str]
    accuracy: float
    accuracy_without: float
    history: History | None


def load(config: Config) -> Splits:
    data = "recipes" if config.data == "dateline" else config.data
    splits = load_splits(
        data,
        train=config.train_texts,
        validation=config.held_out,
        test=config.held_out,
        pairs=False,
        source=config.source,
        limit=config.limit,
    )
    return with_dateline(splits) if config.data == "dateline" else splits


def with_dateline(splits: Splits) -> Splits:
    """Return the splits with an agency's dateline before 99 of 100 genuine texts, and before no other."""

    def mark(part: Texts) -> Texts:
        genuine = [index for index, label in enumerate(part.labels) if label == GENUINE]
        marked = {index for number, index in enumerate(genuine) if number % 100}
        return Texts([DATELINE * (i in marked) + text for i, text in enumerate(part.texts)], part.labels)

    return Splits(splits.classes, *map(mark, splits[1:]))


def words_accuracy(splits: Splits) -> float:
    """Return the test accuracy of logistic regression on words and pairs of words."""
    parts = [(part.texts, part.labels) for part in splits[1:]]
    model, _ = choose_penalty(bag_of_words, *parts[:2])
    return float(model.score(*parts[2]))


def history_accuracy(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the test accuracy of logistic regression on the logarithms of counts."""
    return float(make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(*train).score(*test))


def history_leak() -> History:
    """Return what LIAR's counts of a speaker's statements say alone, with and without the statement to classify."""
    before, counted = [], []
    for split in ("train", "test"):
        counts, labels = (np.array(values) for values in liar_history(split))
        own = np.eye(len(LIAR_CLASSES), dtype=int)[labels][:, : counts.shape[1]]  # no column counts "true"
        counted.append((np.log1p(counts), labels))
        before.append((np.log1p((counts - own).clip(min=0)), labels))
    once = counts.sum(1) == 1
    return History(
        accuracy=history_accuracy(*counted),
        once_counted=int(once.sum()),
        once_counted_accuracy=float((counts[once].argmax(1) == labels[once]).mean()),
        without_the_statement=history_accuracy(*before),
    )


def main(config: Config) -> Results:
    splits = load(config)
    train, test = splits.train, splits.test
    labels_of: dict[str, set[int]] = {}
    for text, label in zip(train.texts, train.labels, strict=True):
        labels_of.setdefault(text, set()).add(label)
    queries = test.texts[: config.queries]
    similarities, places = nearest(queries, train.texts)
    closest = int(similarities.argmax())
    words = deciding_words(train, test)
    majority = max(Counter(train.labels).values()) / len(train)
    removed = [word.word for word in words if word.train_accuracy > majority + config.gain]
    results = Results(
        exact_duplicates=sum(text in labels_of for text in test.texts),
        conflicting_labels=sum(len(labels) > 1 for labels in labels_of.values()),
        near_duplicates=int((similarities >= config.similar).sum()),
        queries=len(queries),
        similarities=sorted(similarities.tolist()),
        most_similar=[queries[closest], train.texts[int(places[closest])]],
        most_similar_exactly=jaccard(queries[closest], train.texts[int(places[closest])]),
        majority=majority,
        words=words,
        removed=removed,
        accuracy=words_accuracy(splits),
        accuracy_without=words_accuracy(Splits(splits.classes, *(without_words(part, removed) for part in splits[1:]))),
        history=history_leak() if config.data == "liar" else None,
    )
    report(results, config, len(test))
    return results


def report(results: Results, config: Config, size: int) -> None:
    print(f"{results.exact_duplicates} of {size} test texts are in the training split")
    print(
        f"{results.near_duplicates} of {results.queries} have a near duplicate there (Jaccard {config.similar} or more)"
    )
    print(f"{results.conflicting_labels} training texts have two labels")
    print(f"majority {results.majority:.1%}; the best single words on the test split:")
    for word in results.words[:5]:
        print(f"    {word.word:<16} {word.test_accuracy:.1%}")
    print(f"words and pairs {results.accuracy:.1%}, without {', '.join(results.removed) or 'any word'}: ", end="")
    print(f"{results.accuracy_without:.1%}")
    if history := results.history:
        print(
            f"counts alone {history.accuracy:.1%}, without the statement {history.without_the_statement:.1%}; speakers "
        )
        print(f"counted once: {history.once_counted}, their label is that count in {history.once_counted_accuracy:.1%}")


def plot(results: Results) -> Figure:
    """Draw how similar the nearest training text is, and what the best single words do."""
    figure, (similar, single) = new_figure(10, 3.6, columns=2)
    similar.hist(results.similarities, bins=[index / 20 for index in range(21)])
    similar.set(xlabel="similarity of the nearest training text", ylabel="test texts", xlim=(0, 1))
    best = results.words[:8]
    single.barh([word.word for word in best], [word.test_accuracy for word in best], label="one word")
    single.axvline(results.majority, color="grey", linestyle="--", label="majority")
    single.axvline(results.accuracy, color="black", label="all words and pairs")
    single.axvline(results.accuracy_without, color="black", linestyle=":", label="without the deciding words")
    single.set(xlabel="accuracy on the test split", xlim=(0, 1.02))
    single.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
