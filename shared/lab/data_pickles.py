"""Pickles that hold data and nothing else: read by an unpickler that builds what it was told, and refuses the rest.

A pickle is a program that builds objects, and may build whatever it names. So a name that is not expected is refused
before anything of it runs. Arrays of NumPy are not built by NumPy: what a pickle says of their insides is checked here.
"""

import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# What libraries and Python itself raise when a pickle is cut off, or is none; PyTorch asserts that numbers are there.
NO_PICKLE = (
    AssertionError,
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


class PickledType:
    """What a pickle says of the type of an array: whole numbers or floating point, in which order of bytes."""

    def __init__(self, code: str, *_: Any) -> None:
        if not re.fullmatch(r"[iuf][1248]|b1", str(code)):
            raise pickle.UnpicklingError(f"an array must hold numbers, got {code!r}")
        self.code, self.order = str(code), "="

    def __setstate__(self, state: tuple) -> None:
        self.order = {"<": "<", ">": ">"}.get(state[1], "=")


class PickledArray:
    """What a pickle says of an array; `array` is the array."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, fortran, content = state
        content = content.encode("latin1") if isinstance(content, str) else content
        numbers = np.frombuffer(content, np.dtype(kind.order + kind.code))
        self.array = numbers.reshape(shape, order="F" if fortran else "C").astype(numbers.dtype.newbyteorder("="))


def _begin_array(*_: Any) -> PickledArray:
    """Return an array without content, which comes afterwards."""
    return PickledArray()


def _encode(text: str, encoding: str) -> bytes:
    """Return text as bytes: how Python 2 pickled them, read by Python 3."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes are written as latin1, got {encoding!r}")
    return text.encode(encoding)


def _dictionary(*_: Any) -> dict:
    """Return a dictionary, also for one whose missing keys have a value, which nothing here asks for."""
    return {}


# Names of old and of new versions of Python and NumPy.
PLAIN: dict[str, Callable] = {
    "collections.defaultdict": _dictionary,
    "collections.OrderedDict": _dictionary,
    "__builtin__.list": list,
    "builtins.list": list,
    "_codecs.encode": _encode,
    "numpy.ndarray": PickledArray,
    "numpy.dtype": PickledType,
    "numpy.core.multiarray._reconstruct": _begin_array,
    "numpy._core.multiarray._reconstruct": _begin_array,
}


class DataUnpickler(pickle.Unpickler):
    """An unpickler that builds arrays, lists and dictionaries, and what else it is told, and nothing more."""

    def __init__(self, file: Any, known: Mapping[str, Callable]) -> None:
        super().__init__(file, encoding="latin1")
        self.known = PLAIN | dict(known)

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name of the pickle means."""
        if f"{module}.{name}" not in self.known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which data does not need; it was not run")
        return self.known[f"{module}.{name}"]


def read_pickle(path: Path, known: Mapping[str, Callable]) -> Any:
    """Return what a pickle holds.

    Args:
        path: the file.
        known: what is built for names beside those of arrays, lists and dictionaries.

    Raises:
        ValueError: it is no pickle, or builds something else.
    """
    try:
        with open(path, "rb") as file:
            return DataUnpickler(file, known).load()
    except NO_PICKLE as error:
        raise ValueError(
            f"{path.name} is no pickle of this data ({error or type(error).__name__}): get it again"
        ) from None
