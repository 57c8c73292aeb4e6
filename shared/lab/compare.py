"""Do two runs of a script agree? Their figures side by side, each within the tolerance that the script states.

A script states its tolerances by the name of a figure; `*` stands for anything, and the last pattern that fits counts:

    run(main, Config, tolerance={"models.*.loss": Tolerance(relative=0.02), "*speedup": TIMING})
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Figure = float | int | bool | str | None


@dataclass(frozen=True)
class Tolerance:
    """How far a figure may be from the recorded one: |new - recorded| <= absolute + relative * |recorded|."""

    relative: float = 0.0
    absolute: float = 0.0
    compared: bool = True

    def allows(self, recorded: Figure, new: Figure) -> bool:
        """Return whether two figures agree."""
        if not self.compared or recorded == new:
            return True
        numbers = [value for value in (recorded, new) if isinstance(value, float | int)]
        if len(numbers) < 2:
            # What a model writes turns with the last digit of a logit: only an exact result compares it.
            return isinstance(recorded, str) and isinstance(new, str) and self.relative > 0
        return abs(numbers[1] - numbers[0]) <= self.absolute + self.relative * abs(numbers[0])

    def __str__(self) -> str:
        if not self.compared:
            return "timing: not compared"
        parts = [f"{self.relative:.1%}"] * (self.relative > 0) + [f"{self.absolute:g}"] * (self.absolute > 0)
        return " + ".join(parts) or "exact"


EXACT = Tolerance()
# Sums in another order differ in their last digits.
ROUNDING = Tolerance(relative=1e-4, absolute=1e-6)
# What training ends at differs between processors, as it does between seeds.
TRAINED = Tolerance(relative=0.05, absolute=0.02)
TIMING = Tolerance(compared=False)
# Whatever a script states, a clock's figures are never compared.
CLOCKS = ("*seconds*", "*per_second*", "*milliseconds*")


def flatten(value: Any, name: str = "") -> dict[str, Figure]:
    """Return the figures of a results file by their names, such as `models.ours.loss` and `losses.0`."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    else:
        return {name: value}
    figures: dict[str, Figure] = {}
    for key, item in pairs:
        figures |= flatten(item, f"{name}.{key}" if name else str(key))
    return figures


def tolerance_of(name: str, tolerances: Mapping[str, Tolerance]) -> Tolerance:
    """Return the tolerance of a figure: that of the last pattern that fits, or `ROUNDING` if none does."""
    if any(fnmatchcase(name, pattern) for pattern in CLOCKS):
        return TIMING
    fitting = [tolerance for pattern, tolerance in tolerances.items() if fnmatchcase(name, pattern)]
    return fitting[-1] if fitting else ROUNDING


@dataclass(frozen=True)
class Difference:
    """A figure that is not what was recorded."""

    name: str
    recorded: Figure
    new: Figure
    tolerance: Tolerance


def differences(
    recorded: Mapping[str, Any], new: Mapping[str, Any], tolerances: Mapping[str, Tolerance]
) -> list[Difference]:
    """Return the figures of two results that differ by more than their tolerance, or that only one of them has."""
    old, fresh = flatten(dict(recorded)), flatten(dict(new))
    found = []
    for name in [*old, *(name for name in fresh if name not in old)]:
        tolerance = tolerance_of(name, tolerances)
        missing = name not in old or name not in fresh
        if (missing and tolerance.compared) or not (missing or tolerance.allows(old[name], fresh[name])):
            found.append(Difference(name, old.get(name, "-"), fresh.get(name, "-"), tolerance))
    return found


@dataclass(frozen=True)
class Line:
    """A main figure of a run beside the recorded one; `spread` is the recorded range over repetitions, if any."""

    name: str
    new: float | int
    recorded: float | int | None
    spread: tuple[float, float] | None


def main_figures(new: Any, recorded: Any, most: int = 12) -> list[Line]:
    """Return the figures of a run that lie nearest to the surface of its results, beside the recorded ones.

    A list of three numbers or more, such as one for each seed, is one figure: its mean, with the recorded range.
    """
    ours, theirs = _condense(new), _condense(recorded)
    by_depth = sorted(ours, key=lambda name: name.count("."))  # sorting keeps the order of equals
    lines = []
    for name in by_depth[:most]:
        values, old = ours[name], theirs.get(name)
        spread = (min(old), max(old)) if old and len(old) > 1 else None
        lines.append(Line(name, statistics.fmean(values), statistics.fmean(old) if old else None, spread))
    return lines


def _condense(value: Any, name: str = "") -> dict[str, Sequence[float | int]]:
    """Return the numbers of results by name; lists of numbers in one piece, longer ones than of seeds left out."""
    if isinstance(value, bool):
        return {}
    if isinstance(value, float | int):
        return {name: [value]}
    if isinstance(value, list) and len(value) < 3:
        # Two numbers are a mean with its interval as often as they are two repetitions: each is shown as it is.
        value = dict(enumerate(value))
    if isinstance(value, list):
        numbers = [item for item in value if isinstance(item, float | int) and not isinstance(item, bool)]
        return {name: numbers} if len(numbers) == len(value) <= 20 else {}
    if isinstance(value, dict):
        figures: dict[str, Sequence[float | int]] = {}
        for key, item in value.items():
            figures |= _condense(item, f"{name}.{key}" if name else str(key))
        return figures
    return {}
