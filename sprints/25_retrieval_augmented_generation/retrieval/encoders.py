"""What makes the vectors of an index, and how an index knows it again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Encoder:
    """Makes vectors of texts; an index that was made with another one is refused.

    Args:
        name: for people.
        fingerprint: of its weights and settings.
        encode: makes unit vectors, (texts, features); None: an index without vectors.
    """

    name: str
    fingerprint: str
    encode: Callable[[Sequence[str]], Float[np.ndarray, "texts features"]] | None = None


WORDS_ONLY = Encoder("words alone", "words")


def minilm_encoder(precision: str = "float32", context: int = 256) -> Encoder:
    """Return all-MiniLM-L6-v2; its fingerprint is that of its weights, its precision and its context.

    Args:
        precision: "float32" or "bfloat16", in which the processor may be faster.
        context: tokens of a text that are read.

    Raises:
        ValueError: the group `models` is not installed.
    """
    from retrieval.bi_encoder import encode, minilm
    from shared.nn.fingerprints import fingerprint

    model, tokens = minilm(context)
    settings = {"precision": precision, "context": context}
    return Encoder(
        f"MiniLM, {precision}",
        fingerprint(model.state_dict(), settings),
        lambda texts: encode(model, tokens, texts, precision=precision).numpy(),
    )
