"""Texts that a model writes, and the first fault in each."""

from collections import Counter
from collections.abc import Sequence

import torch

from shared.generation.decoding import generate
from shared.nn.gpt import GPT
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import Tokenizer


def write_texts(
    model: GPT, tokenizer: Tokenizer, count: int, *, seed: int, start: Sequence[int] = (), temperature: float = 1.0
) -> list[str]:
    """Return texts of the length of the context at most, the same ones for the same seed.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        count: texts to write.
        seed: of the draws.
        start: the tokens that each text follows (default: the end token, after which a new document begins).
        temperature: divides the logits.
    """
    rows = generate(
        model,
        [start or [tokenizer.end_token]] * count,
        max_new_tokens=model.config.context - 1,
        end_token=tokenizer.end_token,
        temperature=temperature,
        generator=torch.Generator(next(model.parameters()).device).manual_seed(seed),
    )
    return [tokenizer.decode(row) for row in rows]


def count_faults(texts: Sequence[str], cookbook: Cookbook) -> Counter[str]:
    """Return how many texts break each rule of the grammar first; "none" counts the valid ones."""
    faults = map(cookbook.fault, texts)
    return Counter("none" if fault is None else fault.rule for fault in faults)
