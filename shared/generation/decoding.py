"""Generation: draw a token, append it, repeat, with a cache so that each token is computed once."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from shared.generation.sampling import sample


@runtime_checkable
class CausalModel(Protocol):
    """What generation needs of a model; `shared.nn.gpt.GPT` has it."""

    config: Any

    def __call__(
        self, tokens: Tensor, *, cache: Any = None, mask: Tensor | None = None, positions: Tensor | None = None
    ) -> Tensor:
        """Return logits (batch, tokens, vocab)."""

    def new_cache(self, batch: int, max_tokens: int) -> Any:
        """Return an empty cache."""

    def parameters(self) -> Iterator[Tensor]:
        """Return the parameters, to learn the device."""


def stream(
    model: CausalModel,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    temperature: int | float = 1.0,
    top_k: int | None = None,
    top_p: int | float | None = None,
    generator: torch.Generator | None = None,
    use_cache: bool = True,
) -> Iterator[list[int]]:
    """Yield the next token of every prompt, again and again, `max_new_tokens` times.

    Prompts of different lengths are padded on the left, where a mask hides the padding.

    Args:
        model: gives logits; put it in evaluation mode before.
        prompts: token ids, at least one in each.
        max_new_tokens: how often to draw.
        temperature, top_k, top_p, generator: see `shared.generation.sampling.sample`.
        use_cache: keep keys and values instead of computing everything again for each token.

    Raises:
        ValueError: no prompt, an empty one, no token to draw, or more tokens than the model's context holds.
    """
    if not prompts or not all(len(prompt) for prompt in prompts):
        raise ValueError("generation needs prompts of at least one token each; start a text with the end token")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
    longest = max(map(len, prompts))
    if longest + max_new_tokens > model.config.context:
        raise ValueError(
            f"a prompt of {longest} tokens and {max_new_tokens} new ones exceed the context of {model.config.context}"
        )
    device = next(iter(model.parameters())).device
    tokens, mask, positions = _pad_left(prompts, device)
    cache = model.new_cache(len(prompts), longest + max_new_tokens) if use_cache else None
    # A model may know a faster way for one token at a time.
    compute_logits = getattr(model, "for_single_tokens", lambda: model)()
    for step in range(max_new_tokens):
        # Around a step, not around the loop: the caller's code runs between two steps.
        with torch.inference_mode():
            logits = compute_logits(tokens, cache=cache, mask=mask, positions=positions)[:, -1]
            drawn = sample(logits, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
        yield drawn.tolist()
        if step + 1 == max_new_tokens:
            return
        tokens = drawn[:, None] if use_cache else torch.cat([tokens, drawn[:, None]], dim=1)
        if mask is not None and positions is not None:
            mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
            after = positions[:, -1:] + 1
            positions = after if use_cache else torch.cat([positions, after], dim=1)


def generate(
    model: CausalModel,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    end_token: int | None = None,
    temperature: int | float = 1.0,
    top_k: int | None = None,
    top_p: int | float | None = None,
    generator: torch.Generator | None = None,
    use_cache: bool = True,
) -> list[list[int]]:
    """Return the new tokens of each prompt, up to the end token (which is left out) if one is given.

    Arguments and errors as in `stream`.
    """
    rows: list[list[int]] = [[] for _ in prompts]
    running = set(range(len(rows)))
    for drawn in stream(
        model,
        prompts,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=generator,
        use_cache=use_cache,
    ):
        for row in list(running):
            if drawn[row] == end_token:
                running.discard(row)
            else:
                rows[row].append(drawn[row])
        if not running:
            break
    return rows


def _pad_left(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return tokens, mask and positions of prompts that all end at the same place; no mask if none needs padding."""
    longest = max(map(len, prompts))
    if all(len(prompt) == longest for prompt in prompts):
        return torch.tensor([list(prompt) for prompt in prompts], device=device), None, None
    tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
    mask = torch.zeros(len(prompts), longest, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = torch.tensor(list(prompt))
        mask[row, longest - len(prompt) :] = True
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    return tokens.to(device), mask.to(device), positions.to(device)
