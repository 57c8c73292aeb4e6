"""What words alone say: logistic regression on words and pairs of words, and each word as a classifier of its own.

What it can do needs no neural network. Where it does nearly as well as one, look for a leak. Theory:
notes/04_baselines.md and notes/05_leaks.md
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline, make_pipeline

from text_classification.labelled_texts import LabelledTexts

TOKEN = r"\w+"  # scikit-learn's default would drop one-digit numbers
PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True)
class SingleWord:
    """A word, and what "it is there" or "it is not there" alone predicts."""

    word: str
    train_accuracy: float
    test_accuracy: float


def bag_of_words(penalty: float, longest: int = 2) -> Pipeline:
    """Return TF-IDF and logistic regression with this inverse strength of penalty.

    TF-IDF is of words and of runs of up to `longest` words: 2 for words and pairs of neighbours.
    """
    words = TfidfVectorizer(ngram_range=(1, longest), token_pattern=TOKEN, min_df=2, sublinear_tf=True)
    return make_pipeline(words, LogisticRegression(C=penalty, max_iter=1000))


def choose_penalty(
    make: Callable[[float], Any], train: tuple[Any, Sequence[int]], validation: tuple[Any, Sequence[int]]
) -> tuple[Any, float]:
    """Return the model, fitted to the training part, that has the lowest loss on the validation part; and its penalty.

    Args:
        make: returns an unfitted classifier.
        train, validation: inputs and labels.
    """
    fitted = {penalty: make(penalty).fit(*train) for penalty in PENALTIES}
    inputs, labels = validation
    losses = {
        penalty: log_loss(labels, model.predict_proba(inputs), labels=model.classes_)
        for penalty, model in fitted.items()
    }
    best = min(losses, key=losses.__getitem__)
    return fitted[best], best


def deciding_words(train: LabelledTexts, test: LabelledTexts) -> list[SingleWord]:
    """Return every word as a classifier of its own, the best on the training split first.

    Where the word is, the class is the most frequent one of the training texts that have it; where it is not, of those
    that do not.
    """
    counter = CountVectorizer(token_pattern=TOKEN, binary=True, min_df=5)
    there, there_in_test = counter.fit_transform(train.texts), counter.transform(test.texts)
    one_hot = np.eye(max(train.labels) + 1)[train.labels]  # (texts, classes)
    with_it = there.T @ one_hot  # (words, classes)
    without_it = one_hot.sum(0) - with_it
    accuracy = (with_it.max(1) + without_it.max(1)) / len(train)
    labels, best = np.array(test.labels), []
    words = counter.get_feature_names_out()
    for index in np.argsort(-accuracy, kind="stable")[:20]:
        has = there_in_test[:, [index]].toarray()[:, 0] > 0
        predicted = np.where(has, with_it[index].argmax(), without_it[index].argmax())
        best.append(SingleWord(str(words[index]), float(accuracy[index]), float((predicted == labels).mean())))
    return best


def without_words(texts: LabelledTexts, words: Sequence[str]) -> LabelledTexts:
    """Return the texts without these words, in whatever case."""
    if not words:
        return texts
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
    return LabelledTexts([pattern.sub(" ", text) for text in texts.texts], texts.labels)
