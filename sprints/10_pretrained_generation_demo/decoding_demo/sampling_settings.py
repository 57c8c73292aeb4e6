"""What a user may choose about generation: settings that are checked, and the distribution that they make of logits."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from decoding_demo.repetition import push_down
from shared.generation.sampling import apply_temperature, top_k_filter, top_p_filter


@dataclass(frozen=True)
class SamplingSettings:
    """How to draw; the defaults draw from the model's own distribution.

    Args:
        temperature: divides the logits.
        top_k: keep so many tokens; 0 keeps all, 1 is greedy.
        top_p: keep the fewest tokens that together have this probability.
        repetition_penalty: divides positive logits of tokens that the text contains, multiplies negative ones.
        max_new_tokens: draw at most so many.
        seed: the same one gives the same text.
        pace: tokens per second at most, from 1 on, so that one can watch; 0 means as fast as possible.

    Raises:
        ValueError: a value that is no number, or outside its limits.
    """

    temperature: int | float = 1.0
    top_k: int = 0
    top_p: int | float = 1.0
    repetition_penalty: int | float = 1.0
    max_new_tokens: int = 200
    seed: int = 0
    pace: int | float = 0.0

    LIMITS: ClassVar[dict[str, tuple[int | float, int | float]]] = {
        "temperature": (0.05, 5),
        "top_k": (0, 1000),
        "top_p": (0.01, 1),
        "repetition_penalty": (1, 2),
        "max_new_tokens": (1, 1000),
        "seed": (0, 2**31 - 1),
        "pace": (1, 200),
    }
    OFF: ClassVar[dict[str, int]] = {"pace": 0}  # below the limits
    WHOLE: ClassVar[tuple[str, ...]] = ("top_k", "max_new_tokens", "seed")

    def __post_init__(self) -> None:
        for name in self.LIMITS:
            self.check(name, vars(self)[name])

    @classmethod
    def check(cls, name: str, value: object) -> None:
        """Refuse a value that is no number, or outside its limits."""
        (low, high), kinds = cls.LIMITS[name], int if name in cls.WHOLE else int | float
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        if not is_number or not (low <= value <= high or value == cls.OFF.get(name, low)):
            kind = "whole number" if name in cls.WHOLE else "number"
            shown, off = name.replace("_", " "), f", or {cls.OFF[name]}" if name in cls.OFF else ""
            raise ValueError(f"{shown} must be a {kind} from {low:,} to {high:,}{off}; got {reprlib.repr(value)}")

    @classmethod
    def read(cls, values: Mapping[str, object]) -> "SamplingSettings":
        """Return settings from what came over the network, which may be anything; JSON may write 3 as 3.0.

        Raises:
            ValueError: a value that is no number, or outside its limits.
        """
        numbers: dict[str, Any] = {}
        for name, value in values.items():
            is_whole = name in cls.WHOLE and isinstance(value, float) and value.is_integer()
            numbers[name] = int(value) if is_whole else value
            cls.check(name, numbers[name])
        return cls(**numbers)

    def apply(self, logits: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of the distribution to draw from, of the same shape.

        The order is that of transformers: repetition penalty, temperature, top-k, top-p.

        Args:
            logits: (batch, vocab).
            tokens: the text so far, (batch, tokens), for the penalty.
        """
        if self.repetition_penalty != 1:
            logits = push_down(logits, tokens, self.repetition_penalty)
        if self.temperature != 1:
            logits = apply_temperature(logits, self.temperature)
        if self.top_k:
            logits = top_k_filter(logits, self.top_k)
        return logits if self.top_p == 1 else top_p_filter(logits, self.top_p)
