"""Ranges: the values that just fit, and those that just do not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.lab import ranges


@pytest.mark.parametrize(
    ("kind", "fits", "does_not"),
    [
        (ranges.NonNegativeInt, (0, 2**31 - 1), (-1, 2**31)),
        (ranges.PositiveInt, (1,), (0,)),
        (ranges.AtLeastTwo, (2,), (1,)),
        (ranges.Even, (2, 8), (0, 3)),
        (ranges.Seed, (0,), (-1, 2**32)),
        (ranges.NonNegativeFloat, (0.0,), (-1e-9,)),
        (ranges.PositiveFloat, (1e-9,), (0.0, float("nan"))),
        (ranges.Fraction, (0.0, 1.0), (-0.1, 1.1)),
        (ranges.OpenFraction, (0.5,), (0.0, 1.0)),
        (ranges.Share, (0.0, 0.99), (1.0,)),
        (ranges.Port, (1, 65535), (0, 65536)),
        (ranges.Seconds, (0.0, 1e8), (-1.0, 2e8)),
        (ranges.PositiveFraction, (1.0,), (0.0,)),
        (ranges.Device, ("auto", "cpu"), ("tpu", "cpu:7")),
        (ranges.ExistingFile, (Path(__file__),), (Path(__file__).parent, Path("lost"))),
        (ranges.ExistingFolder, (Path(__file__).parent,), (Path(__file__), Path("lost"))),
    ],
)
def test_a_range_ends_where_it_says(kind: Any, fits: tuple, does_not: tuple):
    for value in fits:
        assert TypeAdapter(kind).validate_python(value) == value
    for value in does_not:
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(value)


def test_heads_divide_the_features():
    ranges.check_heads(12, 1, 3, 4)
    with pytest.raises(ValueError, match=r"12"):
        ranges.check_heads(12, 3, 5)
