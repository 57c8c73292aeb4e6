"""A GPT that reads vectors before words: those of a node of a graph, of a picture's patches, of whatever makes them.

The vectors stand where word vectors would, and take positions of their own (Li & Liang 2021; for pictures Tsimpoukelli
et al. 2021, section 3). Which network makes them is not known here.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from shared.nn.cache import KeyValueCache
from shared.nn.gpt import GPT
from shared.nn.masks import for_all_queries


def read_vectors(
    gpt: GPT,
    vectors: Float[Tensor, "batch vectors d_model"],
    *,
    cache: list[KeyValueCache] | None = None,
    mask: Bool[Tensor, "batch keys"] | None = None,
    positions: Int[Tensor, "_ vectors"] | None = None,
) -> Float[Tensor, "batch vectors vocab"]:
    """Return what `GPT.forward` returns, given the vectors of its inputs instead of their tokens.

    Args:
        gpt: any GPT.
        vectors: one a place, of words or not, before positions are added.
        cache, mask, positions: as in `GPT.forward`.

    Raises:
        ValueError: more vectors than the context holds.
    """
    past = cache[0].length if cache else 0
    total = past + vectors.shape[1]
    if total > gpt.config.context:
        raise ValueError(
            f"vectors and text must fit into the {gpt.config.context} places of the model; got {total}: shorten one"
        )
    if positions is None:
        positions = torch.arange(past, total, device=vectors.device)[None]
    x = gpt.dropout(vectors + gpt.positions(positions))
    attention_mask = for_all_queries(mask)
    for layer, block in enumerate(gpt.blocks):
        x = block(x, attention_mask, cache=cache[layer] if cache else None)
    return gpt.head(gpt.norm(x))


class PrefixGPT:
    """A GPT behind a prefix, as a causal model of its text: it is called with tokens, and returns their logits alone.

    So whatever takes a causal model takes this: losses, `shared.generation.decoding.generate` and `stream`, with the
    cache or without, the checks of `shared.checks`. Text that is padded on the left is padded between prefix and text.

    Args:
        gpt: any GPT; gradients flow through it into the prefix.
        prefix: the vectors that each text begins with, (batch, prefix, d_model), or one row for all texts; a prefix of
            no vectors leaves the GPT as it is.

    Raises:
        ValueError: the vectors are of another width than the model's, or leave no room for a text.
    """

    def __init__(self, gpt: GPT, prefix: Float[Tensor, "rows prefix d_model"]) -> None:
        _, length, width = prefix.shape
        if width != gpt.config.d_model:
            raise ValueError(f"a prefix must be as wide as the words, {gpt.config.d_model} numbers; got {width}")
        refuse_if_too_long(gpt, length)
        self.gpt, self.prefix, self.length = gpt, prefix, length
        # What is left for the text: generation asks before it begins.
        self.config = replace(gpt.config, context=gpt.config.context - length)

    def __call__(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "_ tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments as in `GPT.forward`, of the text alone."""
        past = cache[0].length if cache else 0
        if positions is None:
            first = max(0, past - self.length)
            positions = torch.arange(first, first + tokens.shape[1], device=tokens.device)[None]
        vectors, positions = self.gpt.token_embedding(tokens), positions + self.length
        if not past:  # later the prefix is in the cache
            vectors, positions = self.put_before(vectors, positions)
        if mask is not None:  # every token may look at the prefix
            mask = torch.cat([mask.new_ones(len(mask), self.length), mask], dim=1)
        return read_vectors(self.gpt, vectors, cache=cache, mask=mask, positions=positions)[:, -tokens.shape[1] :]

    def put_before(
        self, words: Float[Tensor, "batch tokens d_model"], positions: Int[Tensor, "rows tokens"]
    ) -> tuple[Float[Tensor, "batch places d_model"], Int[Tensor, "rows places"]]:
        """Return the prefix and behind it the vectors of words, and the positions of both."""
        prefix = self.prefix.expand(len(words), -1, -1)
        places = torch.arange(self.length, device=positions.device).expand(len(positions), -1)
        return torch.cat([prefix, words], dim=1), torch.cat([places, positions], dim=1)

    def new_cache(self, batch: int, max_tokens: int | None = None) -> list[KeyValueCache]:
        """Return an empty cache for each layer, with room for the prefix and `max_tokens` (default: the context)."""
        return self.gpt.new_cache(batch, self.length + (max_tokens or self.config.context))

    def parameters(self) -> Iterator[Tensor]:
        """Return the parameters of the GPT."""
        return self.gpt.parameters()


def refuse_if_too_long(gpt: GPT, length: int, text: int = 1) -> None:
    """Check that a prefix of so many vectors leaves room for a text of so many tokens.

    Raises:
        ValueError: it does not.
    """
    if length + text > gpt.config.context:
        raise ValueError(
            f"a prefix must leave room for its text: both must fit into the {gpt.config.context} places of the model, "
            f"got {length} vectors and at least {text} tokens: make the prefix shorter"
        )
