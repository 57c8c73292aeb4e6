"""How long a call takes."""

import time
from collections.abc import Callable


def seconds(function: Callable, *arguments: object) -> float:
    """Return the seconds that one call takes."""
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began
