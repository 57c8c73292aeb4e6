"""Checks of a stream that goes on: stopped, saved as JSON, loaded, read to its end; the usual mistakes by name."""

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from shared.lab.checking import expect

SEED = 532  # with it nine letters leave a buffer of three in the order of note 8


def order(items: str, size: int) -> list[str]:
    """Return the order in which the stub's rule hands out the items."""
    random, buffer, out = np.random.default_rng(SEED), list(items[:size]), []
    for item in items[size:]:
        drawn = int(random.integers(size))
        out.append(buffer[drawn])
        buffer[drawn] = item
    while buffer:
        out.append(buffer.pop(int(random.integers(len(buffer)))))
    return out


def go_on(
    items: str, size: int, stop: int, *, position: int, buffer: list[str], random: np.random.Generator
) -> list[str]:
    """Return what comes out if a stream goes on from a state, behind the first `stop` items."""
    out, left = order(items, size)[:stop], list(items[position:])
    buffer = list(buffer)
    while left:
        item = left.pop(0)
        if len(buffer) < size:
            buffer.append(item)
            continue
        drawn = int(random.integers(size))
        out.append(buffer[drawn])
        buffer[drawn] = item
    while buffer:
        out.append(buffer.pop(int(random.integers(len(buffer)))))
    return out


def mistakes(items: str, size: int, stop: int) -> dict[str, list[str]]:
    """Return what comes out by the usual mistakes, for a stop while items are still read."""
    generator = np.random.default_rng(SEED)
    buffer, drawn = list(items[:size]), 0
    stale: list[str] = []
    for item in items[size : size + stop]:
        drawn = int(generator.integers(size))
        stale = list(buffer)
        buffer[drawn] = item
    read = size + stop

    def drawn_so_far() -> np.random.Generator:
        random = np.random.default_rng()
        random.bit_generator.state = generator.bit_generator.state
        return random

    ways: dict[str, dict[str, Any]] = {
        "The buffer is forgotten: what waits in it is lost.": {"position": read, "buffer": []},
        "The generator begins again: nothing is lost, but the order is another one.": {
            "position": read, "buffer": buffer, "random": np.random.default_rng(SEED),
        },
        "It begins at the first item again, with the buffer full.": {"position": 0, "buffer": buffer},
        "All of it begins again: the state is not loaded.": {
            "position": 0, "buffer": [], "random": np.random.default_rng(SEED),
        },
        "An item is read twice: the position is that of the item which was read last.": {
            "position": read - 1, "buffer": buffer,
        },
        "An item is skipped: the position is one too far.": {"position": read + 1, "buffer": buffer},
        "The item that was handed out last is still in the buffer, and the one that takes its place is not: exchange "
        "them before `yield`.": {"position": read, "buffer": stale},
        "The item that was handed out last is still in the buffer, though the position is right: exchange them before "
        "`yield`.": {"position": read - 1, "buffer": stale},
    }  # fmt: skip
    for way in ways.values():
        way.setdefault("random", drawn_so_far())
    return {name: go_on(items, size, stop, **way) for name, way in ways.items()}


def left_late(items: str, size: int, stop: int) -> dict[str, list[str]]:
    """Return what comes out if, while the buffer is emptied, an item leaves it only after it was handed out."""
    random = np.random.default_rng(SEED)
    for _ in items[size:]:
        random.integers(size)
    used = order(items, size)[:stop]
    buffer = [item for item in buffer_when_read(items, size) if item not in used[:-1]]
    for left in range(size, len(buffer) - 1, -1):
        random.integers(left)
    rest = []
    while buffer:
        rest.append(buffer.pop(int(random.integers(len(buffer)))))
    return {"The item that was handed out last comes again: let it leave the buffer before `yield`.": used + rest}


def buffer_when_read(items: str, size: int) -> list[str]:
    """Return the buffer when the last item has been read."""
    random, buffer = np.random.default_rng(SEED), list(items[:size])
    for item in items[size:]:
        buffer[int(random.integers(size))] = item
    return buffer


def stopped(learner: Any) -> Callable[[str, int, int], list[str]]:
    """Return a function that stops a learner's stream, saves it and goes on with a new one."""

    def used_and_rest(items: str, size: int, stop: int) -> list[str]:
        stream, later = learner.ShuffledStream(items, size, SEED), learner.ShuffledStream(items, size, SEED)
        reading = iter(stream)
        used = list(islice(reading, stop))
        state = json.loads(json.dumps(stream.state_dict()))
        list(reading)  # the stream itself goes on: what was saved must not change with it
        later.load_state_dict(state)
        return used + list(later)

    return used_and_rest


def check_nine_letters(learner: Any) -> None:
    """Nine letters and a buffer of three, stopped behind the fourth, as in note 8."""
    given = {"items": "abcdefghi", "size": 3, "stop": 4}
    expect(stopped(learner), given, order("abcdefghi", 3), mistakes("abcdefghi", 3, 4))


def check_every_stop(learner: Any) -> None:
    """Stopped anywhere: before the first item, while items are read, and while the buffer is emptied."""
    for stop in range(10):
        known = mistakes("abcdefghi", 3, stop) if 0 < stop < 6 else left_late("abcdefghi", 3, stop) if stop > 6 else {}
        expect(stopped(learner), {"items": "abcdefghi", "size": 3, "stop": stop}, order("abcdefghi", 3), known)


def check_the_state_is_a_copy(learner: Any) -> None:
    """A state that was saved does not change when the stream goes on."""

    def saved_twice(items: str, size: int) -> bool:
        stream = learner.ShuffledStream(items, size, SEED)
        reading = iter(stream)
        list(islice(reading, 2))
        state = stream.state_dict()
        before = json.dumps(state)
        list(reading)
        return json.dumps(state) == before

    changed = "The saved state has changed while the stream went on: it holds the buffer itself. Save a copy."
    expect(saved_twice, {"items": "abcdefghi", "size": 3}, True, {changed: False})
