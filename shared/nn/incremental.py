"""An encoder-decoder that goes on token by token, with nothing computed twice."""

from typing import TYPE_CHECKING

from jaxtyping import Bool, Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from shared.nn.seq2seq import Decoder


class IncrementalDecoder:
    """Logits of the next token, one token at a time.

    The cross-attention's keys and values are made once from the memory, and those of the targets are kept.

    Args:
        decoder: in evaluation mode, unless dropout is wanted.
        memory: what the encoder made of the sources.
        source_mask: True where a source token is real.
        max_tokens: the most steps.
        width: rows of targets for each source, one after another.
    """

    def __init__(
        self,
        decoder: "Decoder",
        memory: Float[Tensor, "batch source d_model"],
        source_mask: Bool[Tensor, "batch source"] | None,
        max_tokens: int,
        width: int = 1,
    ) -> None:
        self.decoder = decoder
        self.memory = [
            (key.repeat_interleave(width, 0), value.repeat_interleave(width, 0))
            for key, value in decoder.remember(memory)
        ]
        self.mask = None if source_mask is None else source_mask.repeat_interleave(width, 0)
        self.caches = decoder.new_cache(len(memory) * width, max_tokens)

    def __call__(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append a token to each row and return the logits of the one after it."""
        return self.decoder(tokens[:, None], self.memory, self.mask, cache=self.caches)[:, 0]

    def reorder(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows of targets, in this order; each has to stay with its source."""
        for cache in self.caches:
            cache.reorder(rows)
