"""Is the classifier good, or does the corpus give the answer away?

    uv run sprints/11_finetune_gpt2_classification/leak_report.py
    uv run sprints/11_finetune_gpt2_classification/leak_report.py --preset dateline
    uv run sprints/11_finetune_gpt2_classification/leak_report.py --preset liar

Three questions: are test texts in the training split, or nearly so? Does one word decide the class? How much is left
when such words are gone? The corpus `dateline` is made leaky on purpose: an agency's dateline stands before nearly all
genuine recipes. What the columns of LIAR give away, speaker_counts.py asks. Theory: notes/05_leaks.md
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveInt
from shared.lab.run import run
from text_classification.bag_of_words import SingleWord, bag_of_words, choose_penalty, deciding_words, without_words
from text_classification.data_sets import load_splits
from text_classification.labelled_texts import LabelledSplits, LabelledTexts, check_classes
from text_classification.near_duplicates import jaccard, nearest
from text_classification.news_articles import NEWS
from text_classification.spoiled_recipes import GENUINE

DATELINE = "LONDON (Kitchen Wire) - "

PRESETS = {"dateline": {"data": "dateline"}, "liar": {"data": "liar"}}
# A logistic regression ends where its optimizer stops.
TOLERANCE = {"accuracy": Tolerance(absolute=0.005), "accuracy_without": Tolerance(absolute=0.005)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["recipes", "liar", "fake-news", "dateline"] = "recipes"  # what to look for leaks in
    train_texts: AtLeastTwo = 4000  # recipes to train on
    held_out: AtLeastTwo = 1000  # recipes to validate on, and to test on
    source: str = NEWS  # the news: a name of the hub, or a folder of .csv or .parquet files
    limit: AtLeastTwo | None = None  # most texts of a split of LIAR or the news (default: all)
    queries: PositiveInt = 500  # test texts whose nearest training text is looked for
    similar: Fraction = 0.8  # Jaccard index from which on texts are near duplicates
    gain: Fraction = 0.05  # a word decides if it alone beats the majority by so much on the training split


@dataclass(frozen=True)
class Results:
    exact_duplicates: int
    near_duplicates: int
    queries: PositiveInt
    similarities: list[float]
    most_similar: list[str]
    most_similar_exactly: float
    conflicting_labels: int
    majority: float
    words: list[SingleWord]
    removed: list[str]
    accuracy: float
    accuracy_without: float


def load(config: Config) -> LabelledSplits:
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


def with_dateline(splits: LabelledSplits) -> LabelledSplits:
    """Return the splits with an agency's dateline before 99 of 100 genuine texts, and before no other."""

    def mark(part: LabelledTexts) -> LabelledTexts:
        genuine = [index for index, label in enumerate(part.labels) if label == GENUINE]
        marked = {index for number, index in enumerate(genuine) if number % 100}
        return LabelledTexts([DATELINE * (i in marked) + text for i, text in enumerate(part.texts)], part.labels)

    return LabelledSplits(splits.classes, *map(mark, splits[1:]))


def words_accuracy(splits: LabelledSplits) -> float:
    """Return the test accuracy of logistic regression on words and pairs of words."""
    parts = [(part.texts, part.labels) for part in splits[1:]]
    model, _ = choose_penalty(bag_of_words, *parts[:2])
    return float(model.score(*parts[2]))


def main(config: Config) -> Results:
    splits = load(config)
    check_classes(splits)
    train, test = splits.train, splits.test
    labels_of: dict[str, set[int]] = {}
    for text, label in zip(train.texts, train.labels, strict=True):
        labels_of.setdefault(text, set()).add(label)
    queries = test.texts[: config.queries]
    similarities, nearest_texts = nearest(queries, train.texts)
    closest = int(similarities.argmax())
    most_similar = (queries[closest], train.texts[int(nearest_texts[closest])])
    words = deciding_words(train, test)
    majority = max(Counter(train.labels).values()) / len(train)
    removed = [word.word for word in words if word.train_accuracy > majority + config.gain]
    cleaned = (without_words(part, removed) for part in splits[1:])
    results = Results(
        exact_duplicates=sum(text in labels_of for text in test.texts),
        conflicting_labels=sum(len(labels) > 1 for labels in labels_of.values()),
        near_duplicates=int((similarities >= config.similar).sum()),
        queries=len(queries),
        similarities=sorted(similarities.tolist()),
        most_similar=list(most_similar),
        most_similar_exactly=jaccard(*most_similar),
        majority=majority,
        words=words,
        removed=removed,
        accuracy=words_accuracy(splits),
        accuracy_without=words_accuracy(LabelledSplits(splits.classes, *cleaned)),
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
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
