"""What a user may choose about generation: settings that are checked, and the distribution that they make of logits."""

import reprlib
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from shared.generation.sampling import apply_temperature, top_k_filter, top_p_filter


@dataclass(frozen=True)
class Settings:
    """How to draw; the defaults draw from the model's own distribution.

    Args:
        temperature: divides the logits.
        top_k: keep so many tokens; 0 keeps all, 1 is greedy.
        top_p: keep the fewest tokens that together have this probability.
        repetition_penalty: divides positive logits of tokens that the text contains, multiplies negative ones.
        max_new_tokens: draw at most so many.
        seed: the same one gives the same text.
        pace: tokens per second at most, so that one can watch; 0 means as fast as possible.

    Raises:
        ValueError: a value that is no number, or outside its limits.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 200
    seed: int = 0
    pace: float = 0.0

    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {
        "temperature": (0.05, 5),
        "top_k": (0, 1000),
        "top_p": (0.01, 1),
        "repetition_penalty": (1, 2),
        "max_new_tokens": (1, 1000),
        "seed": (0, 2**31 - 1),
        "pace": (0, 200),
    }
    WHOLE: ClassVar[tuple[str, ...]] = ("top_k", "max_new_tokens", "seed")

    def __post_init__(self) -> None:
        for name, (low, high) in self.LIMITS.items():
            value, whole = vars(self)[name], name in self.WHOLE
            fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
            if not fits or (whole and value != int(value)):
                kind = "whole number" if whole else "number"
                shown = name.replace("_", " ")
                raise ValueError(f"{shown} must be a {kind} from {low:,} to {high:,}; got {reprlib.repr(value)}")
            if whole:
                object.__setattr__(self, name, int(value))  # JSON may say 3.0

    def apply(self, logits: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of the distribution to draw from, of the same shape.

        The order is that of transformers: repetition penalty, temperature, top-k, top-p.

        Args:
            logits: (batch, vocab).
            tokens: the text so far, (batch, tokens), for the penalty.
        """
        if self.repetition_penalty != 1:
            from transformers import RepetitionPenaltyLogitsProcessor

            logits = RepetitionPenaltyLogitsProcessor(float(self.repetition_penalty))(tokens, logits)
        if self.temperature != 1:
            logits = apply_temperature(logits, self.temperature)
        if self.top_k:
            logits = top_k_filter(logits, self.top_k)
        return logits if self.top_p == 1 else top_p_filter(logits, self.top_p)
