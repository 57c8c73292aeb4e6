"""Checks of the window's mask and of its ring, at, below and above the window."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect
from shared.nn.windows import WindowCache, window_mask


def check_mask_of_a_text(learner: Any) -> None:
    """Six tokens, a window of 3."""
    compare_masks(learner, 6, 6, 3)


def check_mask_of_the_last_queries(learner: Any) -> None:
    """Two new tokens look at five keys."""
    compare_masks(learner, 2, 5, 3)


def check_windows_at_their_ends(learner: Any) -> None:
    """A window of 1, and one that is longer than the text."""
    compare_masks(learner, 3, 3, 1)
    compare_masks(learner, 3, 4, 9)


def compare_masks(learner: Any, num_queries: int, num_keys: int, window: int) -> None:
    keys, last = torch.arange(num_keys), torch.arange(num_keys - num_queries, num_keys)[:, None]
    first = torch.arange(num_queries)[:, None]
    mistakes = {
        "One token too many: the token itself is one of the window.": (keys <= last) & (keys >= last - window),
        "One token too few.": (keys <= last) & (keys > last - window + 1),
        "The future is seen: a window ends at the token itself.": keys > last - window,
        "The far past is seen: this is the causal mask.": keys <= last,
        "The queries are the last places, not the first.": (keys <= first) & (keys > first - window),
        "It is inverted: True means that a query may look.": ~window_mask(num_queries, num_keys, window),
    }
    given = {"num_queries": num_queries, "num_keys": num_keys, "window": window}
    expect(learner.window_mask, given, window_mask(num_queries, num_keys, window), mistakes)


def written(window: int, length: int) -> Tensor:
    """Return the ring after so many tokens; the key of place p is (p + 1, -p - 1)."""
    ring = torch.zeros(window, 2)
    for place in range(length):
        ring[place % window] = keys_of(place, 1)[0]
    return ring


def keys_of(start: int, count: int) -> Tensor:
    places = torch.arange(start, start + count) + 1.0
    return torch.stack([places, -places], dim=1)


def compare(learner: Any, window: int, length: int, new: int) -> None:
    cache = WindowCache(1, 1, window, 2)
    if length:
        cache.append(keys_of(0, length)[None, None], keys_of(0, length)[None, None])
    seen = cache.append(keys_of(length, new)[None, None], keys_of(length, new)[None, None])[0][0, 0]
    ring, after = written(window, length), written(window, length + new)
    of_slots = torch.cat([ring[: min(length, window)], keys_of(length, new)])
    given = {"ring": ring, "length": length, "key": keys_of(length, new)}
    expect(
        lambda *arguments: learner.append(*arguments)[0],
        given,
        seen,
        {
            "The keys stand in the order of the slots; the text goes on from slot length % window.": of_slots,
            "This is the ring after the new keys: they have overwritten what the first of them still sees.": after,
            "One earlier key too many: the new token is one of its window.": everything(window, length, new, 0),
            "One earlier key too few.": everything(window, length, new, 2),
        },
    )
    expect(
        lambda *arguments: learner.append(*arguments)[1],
        given,
        after,
        {
            "The ring is as it was: the new keys are not in it.": ring,
            "The first keys of the piece are kept; a ring keeps the last ones.": first_kept(ring, length, new),
            "The ring holds the last keys in the order of the text, not key p in slot p % window.": rolled(
                window, length + new
            ),
        },
    )


def everything(window: int, length: int, new: int, fewer: int) -> Tensor:
    start = max(0, length - window + fewer)
    return keys_of(start, length + new - start)


def first_kept(ring: Tensor, length: int, new: int) -> Tensor:
    after, window = ring.clone(), len(ring)
    for place in range(length, length + min(new, window)):
        after[place % window] = keys_of(place, 1)[0]
    return after


def rolled(window: int, length: int) -> Tensor:
    kept = keys_of(max(0, length - window), min(window, length))
    return torch.cat([kept, torch.zeros(window - len(kept), 2)])


def check_one_at_a_time(learner: Any) -> None:
    """One new token, when the ring holds less than a window, is full for the first time, and has gone round."""
    for length in (0, 1, 2, 3, 4, 7):
        compare(learner, 3, length, 1)


def check_several_at_once(learner: Any) -> None:
    """Two or three new tokens, after 2 or 4 others."""
    for length, new in ((2, 2), (4, 2), (4, 3)):
        compare(learner, 3, length, new)


def check_more_than_a_window(learner: Any) -> None:
    """A piece that is longer than the window."""
    for length in (0, 2, 5):
        compare(learner, 3, length, 5)
