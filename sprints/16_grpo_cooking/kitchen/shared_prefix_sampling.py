"""Sample several completions of each prompt, and compute once what they have in common."""

from collections.abc import Sequence

import torch

from shared.generation.sampling import sample
from shared.nn.llama import Llama


@torch.inference_mode()
def sample_completions(
    model: Llama,
    prompts: Sequence[Sequence[int]],
    group_size: int,
    *,
    max_new_tokens: int,
    end_token: int,
    generator: torch.Generator,
    temperature: float | int = 1.0,
) -> list[list[int]]:
    """Return `group_size` completions of each prompt, group after group, with the end token where the model wrote one.

    They are those that `shared.generation.decoding.generate` draws for repeated prompts. But completions are one row of
    the batch for as long as they agree: each prompt begins as one, and what has ended leaves.

    Raises:
        ValueError: more tokens than the model's context holds.
    """
    device, longest = model.token_embedding.weight.device, max(map(len, prompts))
    if longest + max_new_tokens > model.config.context:
        raise ValueError(
            f"a prompt of {longest} tokens and {max_new_tokens} new ones exceed the context of {model.config.context}"
        )
    padding = torch.tensor([longest - len(prompt) for prompt in prompts], device=device)[:, None]
    positions = torch.arange(longest, device=device) - padding  # below 0: padding, on the left
    mask, positions = positions >= 0, positions.clamp(min=0)
    tokens = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    cache = model.new_cache(len(prompts), longest + max_new_tokens)
    completions: list[list[int]] = [[] for _ in range(len(prompts) * group_size)]
    row = torch.arange(len(prompts), device=device).repeat_interleave(group_size)  # of each completion
    running = torch.ones_like(row, dtype=torch.bool)
    for _ in range(max_new_tokens):
        logits = model(tokens, cache=cache, mask=mask, positions=positions)[:, -1]  # (rows, vocab)
        # A number is drawn for what has ended too, as `generate` does: the same seed draws the same completions.
        drawn = sample(logits[row], temperature=temperature, generator=generator)
        for completion, token, runs in zip(completions, drawn.tolist(), running.tolist(), strict=True):
            if runs:
                completion.append(token)
        running &= drawn != end_token
        if not running.any():
            break
        # What was in one row and drew the same token is in one row again.
        vocab = logits.shape[1]
        pairs, next_row = (row * vocab + drawn)[running].unique(return_inverse=True)
        row = torch.zeros_like(row).masked_scatter(running, next_row)
        parent, tokens = pairs // vocab, pairs[:, None] % vocab
        for layer in cache:
            layer.keys, layer.values = layer.keys.index_select(0, parent), layer.values.index_select(0, parent)
        mask = torch.cat([mask[parent], mask.new_ones(len(parent), 1)], dim=1)
        positions = positions[parent, -1:] + 1
    return completions
