"""Checks of `shuffled`: not one order but the properties that every right order has."""

from collections.abc import Callable
from itertools import count, islice
from typing import Any

import torch

from shared.lab.checking import expect

Order = list[int]


class Seen:
    """What is seen of the learner's orders for several seeds; errors show the learner's own lines."""

    def __init__(self, function: Any, view: Callable[[list[Order]], Any]) -> None:
        self.function, self.view, self.__code__ = function, view, function.__code__

    def __call__(self, stream: range, size: int, seeds: int) -> Any:
        return self.view(
            [list(self.function(iter(stream), size, torch.Generator().manual_seed(seed))) for seed in range(seeds)]
        )


def lost(order: Order, items: int) -> str:
    """Return how many of the items do not come, and how many come again."""
    return f"{items - len(set(order))} missing, {len(order) - len(set(order))} repeated"


def check_every_item_once(learner: Any) -> None:
    """Every item of the stream comes once."""
    mistakes = {
        "Items are missing: does the buffer empty itself when the stream has ended?": "3 missing, 0 repeated",
        "One item is missing: `zip` takes one too many from the stream.": "1 missing, 0 repeated",
    }
    counted = Seen(learner.shuffled, lambda orders: lost(orders[0], 9))
    expect(counted, {"stream": range(9), "size": 3, "seeds": 1}, "0 missing, 0 repeated", mistakes)


def check_endless_stream(learner: Any) -> None:
    """It reads no further than it must: the stream may have no end."""
    shuffled = learner.shuffled

    def read_before_the_first(size: int) -> str:
        read = 0

        def numbers():
            nonlocal read
            for number in count():
                read += 1
                if read > 1000:
                    return
                yield number

        list(islice(shuffled(numbers(), size, torch.Generator().manual_seed(0)), 1))
        return "as many items as fit, or one more" if read <= size + 1 else f"{read} items"

    read_before_the_first.__code__ = read_before_the_first.__code__.replace(co_filename=shuffled.__code__.co_filename)
    mistakes = {"It reads the whole stream before it yields anything; this one was endless.": "1001 items"}
    expect(read_before_the_first, {"size": 4}, "as many items as fit, or one more", mistakes)


def check_short_stream(learner: Any) -> None:
    """A stream that is shorter than the buffer comes whole."""
    counted = Seen(learner.shuffled, lambda orders: lost(orders[0], 3))
    expect(counted, {"stream": range(3), "size": 5, "seeds": 1}, "0 missing, 0 repeated")


def check_one_place(learner: Any) -> None:
    """A buffer of one changes nothing."""
    first = Seen(learner.shuffled, lambda orders: orders[0])
    expect(first, {"stream": range(6), "size": 1, "seeds": 1}, list(range(6)))


def check_no_item_is_too_early(learner: Any) -> None:
    """With three places an item comes two places early at most, and over many seeds that happens."""
    mistakes = {
        "Nothing comes early: the item that leaves is not drawn at random.": 0,
        "It comes one place less early than it could: the buffer holds fewer items than `size`.": 1,
    }

    def earliest(orders: list[Order]) -> int:
        return max(item - place for order in orders for place, item in enumerate(order))

    expect(Seen(learner.shuffled, earliest), {"stream": range(12), "size": 3, "seeds": 200}, 2, mistakes)


def check_items_may_be_late(learner: Any) -> None:
    """Chance may keep an item in the buffer for long: over many seeds, item 0 is once more than four places late."""
    late = Seen(learner.shuffled, lambda orders: max(order.index(0) for order in orders) > 4)
    mistakes = {"Nothing comes late: refill the buffer after each item, and draw the one that leaves.": False}
    expect(late, {"stream": range(12), "size": 3, "seeds": 200}, True, mistakes)


def check_the_end_is_shuffled(learner: Any) -> None:
    """What is left at the end comes in a random order too: the last item of the stream is not always the last."""
    ends = Seen(learner.shuffled, lambda orders: sorted({order[-1] == 7 for order in orders}))
    mistakes = {"The rest of the buffer comes in the order in which it lies there.": [True]}
    expect(ends, {"stream": range(8), "size": 4, "seeds": 60}, [False, True], mistakes)


def check_the_generator(learner: Any) -> None:
    """The same seed gives the same order."""
    shuffled = learner.shuffled

    def again(size: int) -> bool:
        orders = []
        for other in range(5):
            torch.manual_seed(other)
            orders.append(list(shuffled(iter(range(20)), size, torch.Generator().manual_seed(1))))
        return all(order == orders[0] for order in orders)

    again.__code__ = again.__code__.replace(co_filename=shuffled.__code__.co_filename)
    expect(again, {"size": 5}, True, {"It draws from somewhere else than the generator that it is given.": False})
