"""Prompts and answers as the rows of one batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from shared.text.batches import pad_rows


def answer_rows(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return prompts with their answers, padded on the right, and a mask that is True at the tokens of the answers."""
    tokens = pad_rows([[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]).tokens
    places = torch.arange(tokens.shape[1])
    starts = torch.tensor([len(prompt) for prompt in prompts])[:, None]
    ends = starts + torch.tensor([len(answer) for answer in answers])[:, None]
    return tokens, (starts <= places) & (places < ends)
