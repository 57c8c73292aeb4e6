"""What goes wrong, in one sentence: people who type a wrong word want to know which, not where in the code.

What nobody expected keeps its traceback: it is a fault of the program, and the traceback finds it.
"""

import contextlib
import sys
from collections.abc import Callable, Generator

# As PyTorch words it for the memory of the machine; for that of a GPU it has an error of its own.
OUT_OF_MEMORY = (
    "DefaultCPUAllocator: can't allocate memory",
    "not enough memory",
    "Storage size calculation overflowed",
)


@contextlib.contextmanager
def one_sentence(*, traceback: bool = False, kept: Callable[[], str] = str) -> Generator[None]:
    """End the program with one sentence and exit code 2 after an error that can be expected, with 130 after Ctrl-C.

    Args:
        traceback: show the whole traceback instead.
        kept: says what an interrupted program leaves, and how to go on.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nstopped. {kept()}".rstrip(), file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        sentence = explain(error)
        if traceback or sentence is None:
            raise
        print(f"error: {sentence}", file=sys.stderr)
        raise SystemExit(2) from None


@contextlib.contextmanager
def as_bad_parameter() -> Generator[None]:
    """Say of a value that cannot be, in a command of `sprints`, what its error says, as the command's usage."""
    import typer

    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def explain(error: Exception) -> str | None:
    """Return what to tell somebody of an error, in one line; None if it is not one that can be expected."""
    words = " ".join(str(error).split()) or type(error).__name__
    if is_out_of_memory(error):
        return (
            "there is not enough memory for this: a smaller batch, a shorter context or a smaller model needs less "
            f"(--help lists the options; {words[:200]})"
        )
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or words}"
    kind = type(error)
    # The sentences of this project are ValueErrors and kinds of ArithmeticError; libraries that read files have theirs.
    ours = kind.__module__.startswith(("shared.", "__main__")) and isinstance(error, ArithmeticError)
    if ours or kind.__name__ == "SafetensorError" or isinstance(error, ValueError | OSError):
        return words
    return None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory, of the machine or of a GPU, was not enough."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in OUT_OF_MEMORY)
