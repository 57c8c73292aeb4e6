"""Decoding of an encoder-decoder: a target token by token, or the best of several by beam search.

Both take any model with the protocol of `TargetModel`; `shared.nn.seq2seq.EncoderDecoder` has it.
"""

import math
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from shared.generation.sampling import check_logits, sample

Source = Int[Tensor, "batch source"]
SourceMask = Bool[Tensor, "batch source"]


class Targets(NamedTuple):
    """Targets from the begin token on, and a mask: True where a token is real, False behind the end token."""

    tokens: Int[Tensor, "batch targets"]
    mask: Bool[Tensor, "batch targets"]


@runtime_checkable
class Incremental(Protocol):
    """Rows of targets that go on token by token, with nothing computed twice."""

    def __call__(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append a token to each row and return the logits of the one after it."""
        ...

    def reorder(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows, in this order; each has to stay with its source."""


@runtime_checkable
class TargetModel(Protocol):
    """What decoding needs of a model."""

    config: Any  # with begin_token, end_token and target_vocab

    def __call__(self, source: Any, target: Any, source_mask: Any = None) -> Tensor:
        """Return the logits of the token after each target token (batch, targets, vocab)."""
        ...

    def incremental(self, source: Any, source_mask: Any, max_tokens: int, width: int = 1) -> Incremental:
        """Return the sources' targets, nothing of them said so far, with `width` rows for each source."""
        ...


@torch.no_grad()
def decode(
    model: TargetModel,
    source: Source,
    source_mask: SourceMask | None = None,
    *,
    max_new_tokens: int,
    temperature: int | float = 0.0,
    generator: torch.Generator | None = None,
    use_cache: bool = True,
) -> Targets:
    """Return a target for each source, from the begin token on, drawn token by token.

    Args:
        model, source, source_mask: put the model in evaluation mode before; the mask is True at real tokens.
        max_new_tokens: where a row is cut if it does not end.
        temperature: 0 takes the most probable token, 1 draws from the model's distribution.
        generator: see `shared.generation.sampling.sample`.
        use_cache: keep keys and values instead of computing everything again for each token.
    """
    begin, end = model.config.begin_token, model.config.end_token
    steps = model.incremental(source, source_mask, max_new_tokens) if use_cache else None
    tokens = source.new_full((len(source), 1), begin)
    mask = torch.ones_like(tokens, dtype=torch.bool)
    for _ in range(max_new_tokens):
        logits = steps(tokens[:, -1]) if steps else model(source, tokens, source_mask)[:, -1]
        drawn = sample(logits, temperature=temperature, generator=generator)[:, None]
        going = mask[:, -1:] & (tokens[:, -1:] != end)
        tokens = torch.cat([tokens, drawn.masked_fill(~going, 0)], dim=1)
        mask = torch.cat([mask, going], dim=1)
        if not (going & (drawn != end)).any():
            break
    return Targets(tokens, mask)


@torch.no_grad()
def beam_search(
    model: TargetModel,
    source: Source,
    source_mask: SourceMask | None = None,
    *,
    width: int,
    max_new_tokens: int,
    length_power: float | int = 0.0,
) -> tuple[Targets, Float[Tensor, " batch"]]:
    """Return the best target found for each source, from the begin token on, and its log-probability.

    Of all ways to go on, the `width` most probable stay at each step. Of those at the end the best has the highest
    log-probability / tokens^length_power; one that did not end is taken only where none did.

    Args:
        model, source, source_mask: as in `decode`.
        width: hypotheses for each source; 1 is greedy decoding.
        max_new_tokens: the most tokens after the first.
        length_power: 0 compares probabilities, which favours short targets; 1 compares means over tokens.

    Raises:
        ValueError: a width below 1, or logits that are no distribution.
    """
    if width < 1:
        raise ValueError(f"a beam must have a width of at least 1; got {width}")
    batch, vocab = len(source), model.config.target_vocab
    steps = model.incremental(source, source_mask, max_new_tokens, width)
    first = torch.arange(batch, device=source.device)[:, None] * width
    tokens = source.new_full((batch, width, 1), model.config.begin_token)
    ended = torch.zeros(batch, width, dtype=torch.bool, device=source.device)
    lengths = source.new_zeros(batch, width)
    # At first all rows of a beam are the same, so only one of them counts.
    scores = torch.full((batch, width), -math.inf, device=source.device)
    scores[:, 0] = 0.0
    only_padding = torch.full((vocab,), -math.inf, device=source.device)
    only_padding[0] = 0.0
    for _ in range(max_new_tokens):
        logits = steps(tokens[:, :, -1].flatten())
        check_logits(logits)
        log_probs = logits.log_softmax(dim=-1).unflatten(0, (batch, width))
        # A hypothesis that has ended goes on in one way only, which costs nothing.
        log_probs = torch.where(ended[..., None], only_padding, log_probs)
        scores, index = (scores[..., None] + log_probs).flatten(1).topk(width, dim=1)
        parents, drawn = index // vocab, index % vocab
        ended = ended.gather(1, parents)
        lengths = lengths.gather(1, parents) + ~ended
        before = tokens.gather(1, parents[..., None].expand(-1, -1, tokens.shape[2]))
        tokens = torch.cat([before, drawn[..., None]], dim=2)
        ended = ended | (drawn == model.config.end_token)
        if (ended | scores.isneginf()).all():
            break
        steps.reorder((first + parents).flatten())
    ranking = scores / lengths**length_power
    best = ranking.masked_fill(~ended & ended.any(dim=1, keepdim=True), -math.inf).argmax(dim=1, keepdim=True)
    tokens = tokens.gather(1, best[..., None].expand(-1, -1, tokens.shape[2]))[:, 0]
    mask = torch.arange(tokens.shape[1], device=source.device) <= lengths.gather(1, best)
    return Targets(tokens, mask), scores.gather(1, best)[:, 0]
