"""From logits to a token: greedy, temperature, top-k and top-p (nucleus) sampling."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

Logits = Float[Tensor, "batch vocab"]


def greedy(logits: Logits) -> Int[Tensor, " batch"]:
    """Return the most probable token of each row."""
    return logits.argmax(dim=-1)


def apply_temperature(logits: Logits, temperature: int | float) -> Logits:
    """Return logits / temperature: below 1 the distribution sharpens, above 1 it flattens.

    Raises:
        ValueError: a temperature that is not positive and finite.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be positive and finite, or 0 in `sample` for greedy; got {temperature}")
    return logits / temperature


def top_k_filter(logits: Logits, k: int) -> Logits:
    """Return the logits with all but the k largest of each row at minus infinity (those equal to the k-th stay).

    Raises:
        ValueError: k below 1.
    """
    if k < 1:
        raise ValueError(f"top_k must be at least 1; got {k}")
    threshold = logits.topk(min(k, logits.shape[-1])).values[:, -1:]
    return logits.masked_fill(logits < threshold, -math.inf)


def top_p_filter(logits: Logits, p: int | float) -> Logits:
    """Return the logits of the smallest set of most probable tokens whose probability is at least p, the rest at -inf.

    Nucleus sampling (Holtzman et al. 2020, section 3.1). The most probable token always stays.

    Raises:
        ValueError: p outside (0, 1].
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1; got {p}")
    ordered, places = logits.sort(descending=True)
    probabilities = ordered.softmax(dim=-1)
    # A token is out if those before it hold p already.
    out = probabilities.cumsum(dim=-1) - probabilities >= p
    return logits.masked_fill(torch.zeros_like(out).scatter(-1, places, out), -math.inf)


def sample(
    logits: Logits,
    *,
    temperature: int | float = 1.0,
    top_k: int | None = None,
    top_p: int | float | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, " batch"]:
    """Return a token for each row, drawn after temperature, top-k and top-p, in this order; temperature 0 is greedy.

    Raises:
        ValueError: a setting outside its range.
    """
    if temperature == 0:
        return greedy(logits)
    if temperature != 1:
        logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = top_k_filter(logits, top_k)
    if top_p is not None:
        logits = top_p_filter(logits, top_p)
    # p_i / e_i is largest at i with probability p_i if e_i are exponential: the same draw as multinomial, at less cost.
    noise = torch.empty_like(logits).exponential_(generator=generator)
    return (logits.softmax(dim=-1) / noise).argmax(dim=-1)
