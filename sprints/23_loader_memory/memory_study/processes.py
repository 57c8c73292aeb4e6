"""Functions that run in a process of their own, so that what they take can be measured and is given back."""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Literal

Method = Literal["fork", "spawn", "forkserver"]


def in_a_process(method: Method, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process, wait for it, and return what it returns.

    Args:
        method: "spawn" is a fresh Python, which imports the function's module; "fork" is a copy of this process.
        function: defined at the top of a module of a package.
        arguments: with "spawn" and "forkserver" they are pickled; with "fork" the process finds them in its memory.

    Raises:
        ValueError: the function raised an error, whose text is in this one, or its process was killed.
    """
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    # Not a daemon: a daemon may have no workers.
    process = context.Process(target=_answer, args=(theirs, function, arguments))  # ty: ignore[missing-attribute]
    process.start()
    theirs.close()  # so that a process that dies closes the pipe
    try:
        fault, value = ours.recv()
    except EOFError:
        process.join()
        raise ValueError(f"the process ended with code {process.exitcode} and no answer") from None
    finally:
        ours.close()
        process.join(60)
        if process.is_alive():
            process.kill()
    if fault:
        raise ValueError(f"the process raised an error:\n{fault}")
    return value


def _answer(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Send what a function returns, or the text of its error."""
    try:
        message = (None, function(*arguments))
    except Exception:
        message = (traceback.format_exc(limit=-3), None)
    pipe.send(message)
    pipe.close()
