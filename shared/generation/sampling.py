"""Choosing the next token from logits.

Filters set the logits of tokens that must not be drawn to minus infinity; `sample` applies them in the order of
transformers (temperature, top-k, top-p) and draws from what is left.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def greedy(logits: Float[Tensor, "batch vocab"]) -> Int[Tensor, " batch"]:
    """Return the most probable token of each row (the first of equals)."""
    return logits.argmax(dim=-1)


def check_logits(logits: Float[Tensor, "batch vocab"]) -> None:
    """Refuse rows that are no distribution; minus infinity removes a token, and one has to be left.

    Raises:
        ValueError: a row with a value that is not a number or plus infinity, or with nothing but minus infinity.
    """
    largest = logits.amax(dim=-1)  # not a number if one of the row is not
    if not (there := largest.isfinite()).all():
        row = int(there.int().argmin())
        raise ValueError(
            f"the largest logit of each row must be finite; got {largest[row].item()} in row {row}: "
            "did training diverge, is the temperature too near 0, or was every token masked?"
        )


def apply_temperature(logits: Float[Tensor, "batch vocab"], temperature: int | float) -> Float[Tensor, "batch vocab"]:
    """Return logits / temperature: below 1 the distribution gets sharper, above 1 flatter.

    Raises:
        ValueError: a temperature that is not positive and finite.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be positive (0 in `sample` means greedy) and finite, got {temperature}")
    return logits / temperature


def top_k_filter(logits: Float[Tensor, "batch vocab"], k: int) -> Float[Tensor, "batch vocab"]:
    """Return the logits with all but the k largest of each row removed (Fan et al. 2018, section 5.4).

    What equals the k-th stays too; a k above the size of the vocabulary removes nothing.

    Raises:
        ValueError: k below 1.
    """
    if k < 1:
        raise ValueError(f"top_k must be at least 1, got {k}: use None to keep every token")
    kth = logits.topk(min(k, logits.shape[-1])).values[:, -1:]
    return logits.masked_fill(logits < kth, -math.inf)


def top_p_filter(logits: Float[Tensor, "batch vocab"], p: int | float) -> Float[Tensor, "batch vocab"]:
    """Return the logits of the nucleus: the fewest tokens whose probabilities reach p (Holtzman et al. 2020, 3.1).

    Raises:
        ValueError: p outside (0, 1].
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {p}: use None to keep every token")
    ascending, tokens = logits.sort(dim=-1)
    # From the smallest up, tokens go for as long as all that went weighs at most 1 - p; the largest always stays.
    removed = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    removed[:, -1] = False
    return logits.masked_fill(removed.scatter(1, tokens, removed), -math.inf)


def sample(
    logits: Float[Tensor, "batch vocab"],
    *,
    temperature: int | float = 1.0,
    top_k: int | None = None,
    top_p: int | float | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, " batch"]:
    """Draw a token for each row from softmax(logits / temperature), within the k largest and the nucleus p.

    Args:
        logits: unnormalised log-probabilities.
        temperature: 0 means greedy: nothing is drawn, and the filters, which keep the largest, change nothing.
        top_k: see `top_k_filter`; None keeps every token.
        top_p: see `top_p_filter`; None keeps every token.
        generator: the numbers are drawn on its device, so that one seed means the same draws on every device (default:
            PyTorch's global generator of the logits' device).

    Raises:
        ValueError: a setting outside its range, or a row without a distribution (see `check_logits`).
    """
    if temperature not in (0, 1):
        logits = apply_temperature(logits, temperature)
    check_logits(logits)
    if temperature == 0:
        return greedy(logits)
    if top_k is not None:
        logits = top_k_filter(logits, top_k)
    if top_p is not None:
        logits = top_p_filter(logits, top_p)
    # The token whose interval of the cumulative distribution holds a uniform number: one draw a row, where
    # torch.multinomial takes one a token and ten times as long. In (0, 1] it never falls on an empty interval.
    exact = torch.float32 if logits.device.type == "mps" else torch.float64  # Apple's GPUs have no float64
    cumulative = logits.softmax(dim=-1, dtype=torch.float32).cumsum(dim=-1, dtype=exact)
    device = logits.device if generator is None else generator.device
    uniform = 1 - torch.rand(logits.shape[0], 1, generator=generator, dtype=exact, device=device)
    return torch.searchsorted(cumulative, uniform.to(logits.device) * cumulative[:, -1:])[:, 0]
