"""Checks of `ball`, `follow` and `Index`: the example of note 12, circles, and an index that changes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.lab.checking import expect

SAYS = {"olives": 4.0, "oil": 2.0, "salt": 7.0, "flour": 1.0, "salad": 0.0, "bread": 1.0, "picnic": 0.0}
NEEDS = {"oil": ["olives"], "salad": ["oil", "salt"], "bread": ["flour", "salt"], "picnic": ["salad", "bread"]}
BEHIND = [
    SAYS,
    {"olives": 4.0, "oil": 6.0, "salt": 7.0, "flour": 1.0, "salad": 4.5, "bread": 5.0, "picnic": 0.5},
    {"olives": 4.0, "oil": 10.0, "salt": 7.0, "flour": 1.0, "salad": 11.0, "bread": 9.0, "picnic": 5.25},
]


def in_order(function: Callable[..., dict[str, int]]) -> Callable[..., dict[str, int]]:
    """Return the function with its result in the order of names."""

    def call(*arguments: Any) -> dict[str, int]:
        return dict(sorted(function(*arguments).items()))

    return call


def last_states(learner: Any) -> Callable[..., dict[str, float]]:
    """Return `follow` with the states behind the last layer as its result."""

    def call(changed: str, says: float) -> dict[str, float]:
        states, _ = learner.follow([dict(layer) for layer in BEHIND], NEEDS, changed, says)
        return {node: round(value, 9) for node, value in sorted(states[-1].items())}

    return call


def how_many(learner: Any) -> Callable[..., int]:
    """Return `follow` with the number of computed states as its result."""
    return lambda changed, says: learner.follow([dict(layer) for layer in BEHIND], NEEDS, changed, says)[1]


def check_the_ball_of_the_note(learner: Any) -> None:
    """Olives say something else, and there are two layers."""
    expect(in_order(learner.ball), {"changed": ["olives"], "needs": NEEDS, "layers": 2},
           {"oil": 1, "olives": 0, "salad": 2}, {
        "Messages go from what is needed to what needs it; you went the other way.": {"olives": 0},
        "That is one link too few: with two layers a message travels two links.": {"oil": 1, "olives": 0},
        "That is a link too many: with two layers the picnic does not hear of it.": {
            "oil": 1, "olives": 0, "picnic": 3, "salad": 2},
    })  # fmt: skip
    expect(in_order(learner.ball), {"changed": ["picnic"], "needs": NEEDS, "layers": 2}, {"picnic": 0})


def check_two_ways_and_circles(learner: Any) -> None:
    """Of two ways the shorter one counts; on a circle nobody is reached twice."""
    needs = {"b": ["a"], "c": ["a", "b"], "a": ["d"], "d": ["c"]}
    expect(in_order(learner.ball), {"changed": ["a"], "needs": needs, "layers": 3}, {"a": 0, "b": 1, "c": 1, "d": 2}, {
        "The longer way to c was counted, or a was reached again on the circle.": {"a": 3, "b": 1, "c": 2, "d": 3},
        "The longer of two ways to c was counted.": {"a": 0, "b": 1, "c": 2, "d": 3},
    })  # fmt: skip
    expect(
        in_order(learner.ball), {"changed": ["a", "c"], "needs": needs, "layers": 1}, {"a": 0, "b": 1, "c": 0, "d": 1}
    )


def check_the_states_of_the_note(learner: Any) -> None:
    """Olives say 8: oil has 18 behind the last layer, salad 13, and the rest what it had."""
    right = dict(sorted((BEHIND[2] | {"olives": 8.0, "oil": 18.0, "salad": 13.0}).items()))
    expect(last_states(learner), {"changed": "olives", "says": 8.0}, right, {
        "Salad is two links away and hears of it in the second layer.": right | {"salad": 11.0},
        "The mean is over all that salad needs, and not over what has changed of it.": right | {"salad": 14.5},
        "States behind one layer were used for others behind the same layer.": right | {"salad": 17.0},
    })  # fmt: skip


def check_how_many_are_computed(learner: Any) -> None:
    """Three states of olives, two of oil, one of salad."""
    expect(how_many(learner), {"changed": "olives", "says": 8.0}, 6, {
        "All states of all nodes were computed again.": 21,
        "All states of the ball were computed: behind layer d - 1 a node that is d links away is as before.": 7,
        "Only the states behind the last layer were computed, or counted.": 3,
    })  # fmt: skip
    expect(how_many(learner), {"changed": "salt", "says": 9.0}, 8)


def check_that_what_is_given_stays(learner: Any) -> None:
    """The states before are not written over."""

    def before(changed: str) -> list[dict[str, float]]:
        given = [dict(layer) for layer in BEHIND]
        learner.follow(given, NEEDS, changed, 8.0)
        return given

    expect(before, {"changed": "olives"}, BEHIND)


def of_changes(learner: Any) -> Callable[..., list[Any]]:
    """Return what makes changes to an index and returns what they and its searches return."""

    def call(changes: list[tuple[Any, ...]]) -> list[Any]:
        index, answers = learner.Index(), []
        for what, *arguments in changes:
            if what == "put":
                index.put(arguments[0], np.array(arguments[1], dtype=float))
            elif what == "remove":
                answers.append(index.remove(arguments[0]))
            else:
                answers.append(
                    [int(number) for number in index.search(np.array(arguments[0], dtype=float), arguments[1])]
                )
        return answers

    return call


FIVE = ("put", [10, 20, 30, 40], [[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]])


def check_numbers_after_a_removal(learner: Any) -> None:
    """10 is removed; the vector of 20 must still be found as 20."""
    changes = [FIVE, ("remove", [10, 99]), ("search", [0.8, 0.6], 2), ("search", [0, 1], 9)]
    expect(of_changes(learner), {"changes": changes}, [1, [20, 30], [40, 30, 20]], {
        "Numbers moved up and vectors did not, as in IDMap around an index in cells.": [1, [30, 40], [40, 40, 30]],
        "The removed vector is still found.": [1, [10, 20], [40, 30, 20, 10]],
        "A number that was not there was counted as removed.": [2, [20, 30], [40, 30, 20]],
        "-1 stands for nothing in faiss; here nothing is left out.": [1, [20, 30], [40, 30, 20, -1]],
    })  # fmt: skip


def check_an_update(learner: Any) -> None:
    """40 is put again, elsewhere: it is found there, once, and no longer where it was."""
    changes = [FIVE, ("put", [40], [[0.9, 0.1]]), ("search", [1, 0], 2), ("search", [0, 1], 4)]
    expect(of_changes(learner), {"changes": changes}, [[10, 40], [30, 20, 40, 10]], {
        "The old vector of 40 is still there, beside the new one.": [[10, 40], [40, 30, 20, 40]],
        "The new vector was not taken, because the number was there.": [[10, 20], [40, 30, 20, 10]],
    })  # fmt: skip


def check_a_number_that_comes_back(learner: Any) -> None:
    """30 is removed and put again, with another vector; and an empty index finds nothing."""
    changes = [("search", [1, 0], 3), FIVE, ("remove", [30]), ("put", [30], [[0.95, 0.0]]), ("search", [1, 0], 2),
               ("remove", [10, 20, 30, 40]), ("search", [1, 0], 3)]  # fmt: skip
    expect(of_changes(learner), {"changes": changes}, [[], 1, [10, 30], 4, []], {
        "A number that was removed once stays away for ever.": [[], 1, [10, 20], 3, []],
    })  # fmt: skip
