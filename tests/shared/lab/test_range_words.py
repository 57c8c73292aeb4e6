"""Ranges as --help says them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from shared.lab import ranges
from shared.lab.range_words import in_words, ranges_in_words


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (ranges.PositiveInt, "at least 1"),
        (ranges.PositiveFloat, "above 0"),
        (ranges.Share, "at least 0, below 1"),
        (ranges.Even, "at least 2, a multiple of 2"),
        (tuple[ranges.PositiveInt, ...], "at least 1"),
        (tuple[ranges.Fraction, ranges.Fraction], "at least 0, at most 1"),
        (ranges.OpenFraction | None, "above 0, below 1"),
        (Annotated[int, Field(ge=3, le=9)], "at least 3, at most 9"),
        (int, ""),
        (str | None, ""),
        (Path, ""),
        (Literal["a", "b"], ""),
        (bool, ""),
    ],
)
def test_a_range_in_words(hint: Any, words: str):
    assert in_words(hint) == words


def test_every_option_with_a_range_has_a_line():
    @dataclass
    class Config:
        weight_decay: ranges.NonNegativeFloat = 0.0
        name: str = ""

    @dataclass
    class Plain:
        name: str = ""

    assert ranges_in_words(Config) == "ranges\n  --weight-decay: at least 0"
    assert ranges_in_words(Plain) == ""
