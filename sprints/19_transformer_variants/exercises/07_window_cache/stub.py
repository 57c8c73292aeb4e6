"""The window and its cache.

Fill in `window_mask` and `append`. Then look how far you are, as often as you like:

    uv run sprints check 19.7
    uv run sprints hint 19.7

With a window of 3 both can be followed on paper. Theory: note 16 of this sprint.
"""

from torch import Tensor


def window_mask(num_queries: int, num_keys: int, window: int) -> Tensor:
    """Return which keys each query may look at: itself and the window - 1 before it.

    The queries are the last `num_queries` of `num_keys` places, so the last query stands at the last key.

    Returns:
        (num_queries, num_keys) boolean, True where a query may look
    """
    raise NotImplementedError


def append(ring: Tensor, length: int, key: Tensor) -> tuple[Tensor, Tensor]:
    """Return the keys that the new tokens may look at, and the ring that remembers the last `window` keys.

    Args:
        ring: (window, features). The key of place p lies in slot p % window; a slot that was never written holds zeros.
            Do not change it: return a new one.
        length: how many tokens there are so far: the places 0 to length - 1.
        key: (new_tokens, features), the keys of the places length, length + 1, ...; there may be more than a window.

    Returns:
        The keys that the first of the new tokens may look at and that are still there (window - 1 at most), and behind
        them all new ones, in the order of the text; and the ring after the new tokens.
    """
    raise NotImplementedError
