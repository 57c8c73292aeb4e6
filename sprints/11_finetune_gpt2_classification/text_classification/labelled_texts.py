"""Texts with a class each, and their three splits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and the number of each one's class."""

    texts: list[str]
    labels: list[int]

    def __post_init__(self) -> None:
        if not self.texts or len(self.texts) != len(self.labels):
            raise ValueError(f"texts need a label each; got {len(self.texts)} texts and {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.texts)


class LabelledSplits(NamedTuple):
    """Names of the classes, what to train on, what to choose on, and what to score once."""

    classes: tuple[str, ...]
    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts


def check_classes(splits: LabelledSplits) -> None:
    """Refuse splits of which a classifier could not know every class.

    Raises:
        ValueError: there is one class in the training texts, or a held-out one that is not there.
    """
    known = set(splits.train.labels)
    unknown = (set(splits.validation.labels) | set(splits.test.labels)) - known
    if len(known) < 2 or unknown:
        named = [", ".join(splits.classes[label] for label in sorted(labels)) or "none" for labels in (known, unknown)]
        raise ValueError(
            f"there must be training texts of two classes, and of all that are tested; got {named[0]}, and only in the "
            f"held-out texts {named[1]}: take more texts"
        )


def split_in_three(
    texts: LabelledTexts, classes: tuple[str, ...], *, shares: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
) -> LabelledSplits:
    """Return texts cut at random, each class in the same proportion (a stratified split).

    Raises:
        ValueError: a class too small to be in every part.
    """
    fewest = min(Counter(texts.labels)[label] for label in range(len(classes)))
    if fewest < 10:
        raise ValueError(f"a stratified split needs ten texts of each class, the smallest has {fewest}: give more data")
    pairs = list(zip(texts.texts, texts.labels, strict=True))
    train, rest = train_test_split(pairs, train_size=shares[0], stratify=texts.labels, random_state=seed)
    validation, test = train_test_split(
        rest,
        train_size=shares[1] / (shares[1] + shares[2]),
        stratify=[label for _, label in rest],
        random_state=seed,
    )
    return LabelledSplits(
        classes, *(LabelledTexts(*map(list, zip(*part, strict=True))) for part in (train, validation, test))
    )
