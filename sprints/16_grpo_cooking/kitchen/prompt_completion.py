"""Prompts and completions as the rows of one batch, each row on its own: the plain way."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.text.batches import pad_rows
from shared.training.losses import token_losses


def prompt_completion_rows(
    prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]]
) -> tuple[Int[Tensor, "samples tokens"], Bool[Tensor, "samples tokens"]]:
    """Return prompts with their completions, padded on the right, and a mask that is True in the completions."""
    tokens = pad_rows([[*prompt, *completion] for prompt, completion in zip(prompts, completions, strict=True)]).tokens
    positions = torch.arange(tokens.shape[1])
    starts = torch.tensor([len(prompt) for prompt in prompts])[:, None]
    ends = starts + torch.tensor([len(completion) for completion in completions])[:, None]
    return tokens, (starts <= positions) & (positions < ends)


def row_log_probs(
    model: nn.Module, tokens: Int[Tensor, "samples tokens"], completion_mask: Bool[Tensor, "samples tokens"]
) -> tuple[Float[Tensor, "samples targets"], float]:
    """Return log p of every token but the first of each row, 0 outside of the completions, and the mean entropy."""
    logits = model(tokens[:, :-1])
    log_probs = logits.float().log_softmax(dim=-1)
    entropies = -(log_probs.exp() * log_probs).sum(dim=-1)[completion_mask[:, 1:]]
    return -token_losses(logits, tokens, completion_mask), entropies.mean().item()
