"""Checks of `split_by_group`: not one answer but the properties that every right answer has."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

# Ten images by four writers: 3 has five of them, 12 one.
WRITERS = torch.tensor([3, 3, 7, 3, 12, 7, 3, 20, 3, 20])


class Seen:
    """What is seen of the learner's split; errors show the learner's own lines."""

    def __init__(self, function: Any, view: Callable[[Tensor], Any]) -> None:
        self.function, self.view, self.__code__ = function, view, function.__code__

    def __call__(self, groups: Tensor, test_groups: int, seed: int) -> Any:
        test = self.function(groups, test_groups, torch.Generator().manual_seed(seed))
        if isinstance(test, Tensor) and test.shape != groups.shape:
            return f"a tensor of shape {tuple(test.shape)}; one boolean for each item has {tuple(groups.shape)}"
        return self.view(test) if isinstance(test, Tensor) else test


def sides(test: Tensor) -> tuple[list[int], list[int]]:
    """Return the writers of both sides."""
    return WRITERS[~test].unique().tolist(), WRITERS[test].unique().tolist()


def torn(test: Tensor) -> list[int]:
    train, tests = sides(test)
    return sorted({*train} & {*tests})


def check_form(learner: Any) -> None:
    """It returns one boolean for each item."""
    form = Seen(learner.split_by_group, lambda test: (tuple(test.shape), test.dtype))
    expect(form, {"groups": WRITERS, "test_groups": 1, "seed": 0}, ((10,), torch.bool))


def check_that_no_group_is_torn(learner: Any) -> None:
    """No writer is on both sides, whatever the seed."""
    clean = Seen(learner.split_by_group, lambda test: not torn(test.bool()))
    mistakes = {"A writer has images on both sides: draw writers, not images.": False}
    for seed in range(20):
        expect(clean, {"groups": WRITERS, "test_groups": 2, "seed": seed}, True, mistakes)


def check_how_many_groups_test(learner: Any) -> None:
    """As many writers test as are asked for; a large one counts as much as a small one."""
    how_many = Seen(learner.split_by_group, lambda test: len(sides(test.bool())[1]))
    for test_groups in (1, 2, 3):
        mistakes = {"It is inverted: True are the items that test.": 4 - test_groups}
        for seed in range(10):
            expect(how_many, {"groups": WRITERS, "test_groups": test_groups, "seed": seed}, test_groups, mistakes)


def check_chance(learner: Any) -> None:
    """Over many seeds every writer tests about equally often."""
    split = learner.split_by_group

    def often(groups: Tensor, test_groups: int, seeds: int) -> str:
        drawn = [split(groups, test_groups, torch.Generator().manual_seed(seed)) for seed in range(seeds)]
        shares = {
            writer: sum(bool(test[groups == writer].any()) for test in drawn) / seeds for writer in (3, 7, 12, 20)
        }
        if all(0.15 < share < 0.35 for share in shares.values()):
            return "each about 1/4"
        if max(shares.values()) == 1:
            return "always the same"
        return "most often 3, who has most images" if shares[3] > 0.35 else str(shares)

    often.__code__ = often.__code__.replace(co_filename=split.__code__.co_filename)
    mistakes = {
        "The same writers test with every seed: draw them from the generator.": "always the same",
        "A writer with many images tests more often: list each writer once.": "most often 3, who has most images",
    }
    expect(often, {"groups": WRITERS, "test_groups": 1, "seeds": 400}, "each about 1/4", mistakes)


def check_the_same_seed(learner: Any) -> None:
    """The same seed gives the same split, whatever else was drawn in between."""
    split = learner.split_by_group

    def twice(groups: Tensor, test_groups: int, seed: int) -> bool:
        answers = []
        for other in range(10):
            torch.manual_seed(other)
            answers.append(split(groups, test_groups, torch.Generator().manual_seed(seed)).tolist())
        return all(answer == answers[0] for answer in answers)

    mistakes = {"It draws from somewhere else than the generator that it is given.": False}
    twice.__code__ = twice.__code__.replace(co_filename=split.__code__.co_filename)
    expect(twice, {"groups": WRITERS, "test_groups": 1, "seed": 5}, True, mistakes)
