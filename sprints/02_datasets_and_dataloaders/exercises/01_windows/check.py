"""Checks of `Windows`; the library's `unfold` cuts the windows of the reference."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from shared.lab.checking import expect

SERIES = torch.tensor([10.0, 11, 12, 13, 14, 17, 16])


class Asked:
    """A class of the learner's, and what is asked of an object of it; errors show the learner's own lines."""

    def __init__(self, made: Any, question: Callable[[Any], Any]) -> None:
        self.made, self.question = made, question
        self.__code__ = made.__getitem__.__code__

    def __call__(self, series: Tensor, width: int) -> Any:
        # A copy, so that what one check leaves behind does not disturb the next one.
        return self.question(self.made(series.clone(), width))


def check_length(learner: Any) -> None:
    """Seven numbers have four windows of three with a number behind them."""
    mistakes = {
        "One too many: the last window has no number behind it.": 5,
        "One too few: the last number is an answer as well.": 3,
        "This counts numbers, not windows.": 7,
    }
    expect(Asked(learner.Windows, len), {"series": SERIES, "width": 3}, 4, mistakes)


def check_that_asking_twice_gives_the_same(learner: Any) -> None:
    """An item is the same when it is asked for again, and the series is left alone."""

    def twice(data: Any) -> Tensor:
        return torch.stack([data[2][0].clone() for _ in range(3)])

    again, mistakes = SERIES[2:5], {}
    for what, scale in (("divided by 10", 10.0), ("divided by the largest number", 17.0)):
        changed = torch.stack([again / scale, again / scale**2, again / scale**3])
        mistakes[f"A slice is a view: the series itself is {what}, again with every item."] = changed
    expect(Asked(learner.Windows, twice), {"series": SERIES, "width": 3}, again.expand(3, 3), mistakes)


def check_first_window(learner: Any) -> None:
    """Item 0 begins at the front."""
    mistakes = {
        "The answer is in the window: a window ends before its answer.": SERIES[:4],
        "It begins one number too late.": SERIES[1:4],
        "Windows overlap: number 1 begins one place later, whatever the width.": SERIES[3:6],
    }
    expect(Asked(learner.Windows, lambda data: data[0][0]), {"series": SERIES, "width": 3}, SERIES[:3], mistakes)
    expect(Asked(learner.Windows, lambda data: data[1][0]), {"series": SERIES, "width": 3}, SERIES[1:4], mistakes)


def check_answers(learner: Any) -> None:
    """The answer is the number right behind the window."""
    mistakes = {
        "This is the last number of the window: the model would copy it.": SERIES[3],
        "One too far: a number between window and answer is skipped.": SERIES[5],
        "The answer must be a single number of shape (): an index keeps no axis, a slice does.": SERIES[4:5],
    }
    expect(Asked(learner.Windows, lambda data: data[1][1]), {"series": SERIES, "width": 3}, SERIES[4], mistakes)


def check_epoch(learner: Any) -> None:
    """A DataLoader gets every window once, as batches."""
    expected = SERIES.unfold(0, 2, 1)[:-1]  # (5, 2)

    def all_windows(data: Any) -> Tensor:
        return torch.cat([windows for windows, _ in DataLoader(data, batch_size=3)])

    expect(Asked(learner.Windows, all_windows), {"series": SERIES, "width": 2}, expected)
