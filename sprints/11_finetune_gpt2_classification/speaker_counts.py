"""What do LIAR's columns give away that count a speaker's statements by class? They count the statement to classify.

    uv run sprints/11_finetune_gpt2_classification/speaker_counts.py

A classifier sees the counts alone, not a word of a statement: once as they are, and once with the row's own statement
taken off. Theory: notes/05_leaks.md
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from text_classification.liar import LIAR_CLASSES, speaker_counts


@dataclass(frozen=True)
class Config(ScriptConfig):
    max_iter: PositiveInt = 2000  # iterations of the logistic regression, at most


@dataclass(frozen=True)
class Results:
    """Accuracies on the test split; `once_counted` are test statements whose speaker has one counted statement."""

    accuracy: float
    once_counted: int
    once_counted_accuracy: float
    without_the_statement: float


def accuracy_of(config: Config, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the test accuracy of logistic regression on the logarithms of counts."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=config.max_iter))
    model.fit(np.log1p(train[0]), train[1])
    return float(model.score(np.log1p(test[0]), test[1]))


def main(config: Config) -> Results:
    counted, before = [], []
    for split in ("train", "test"):
        counts, labels = (np.array(values) for values in speaker_counts(split))
        own = np.eye(len(LIAR_CLASSES), dtype=int)[labels][:, : counts.shape[1]]  # no column counts "true"
        counted.append((counts, labels))
        before.append(((counts - own).clip(min=0), labels))
    counts, labels = counted[1]
    once = counts.sum(1) == 1
    if not once.any():
        raise ValueError("no speaker of the test statements has one counted statement: is this the whole of LIAR?")
    results = Results(
        accuracy=accuracy_of(config, *counted),
        once_counted=int(once.sum()),
        once_counted_accuracy=float((counts[once].argmax(1) == labels[once]).mean()),
        without_the_statement=accuracy_of(config, *before),
    )
    print(f"counts alone {results.accuracy:.1%}, without the statement {results.without_the_statement:.1%}")
    print(f"speakers counted once: {once.sum()}, their label is that count in {results.once_counted_accuracy:.1%}")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"accuracy": Tolerance(absolute=0.005), "without_*": Tolerance(absolute=0.005)})
