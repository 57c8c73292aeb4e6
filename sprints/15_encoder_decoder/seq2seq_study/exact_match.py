"""Two ways to score, with a teacher and without, and what a model says on its own."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from seq2seq_study.likelihood import logits_of
from seq2seq_study.sequences import SequencePair, mask_of
from shared.generation.beam_search import decode
from shared.nn.seq2seq import EncoderDecoder
from shared.text.batches import Batch


@torch.no_grad()
def teacher_forced(model: nn.Module, pair: SequencePair) -> Tensor:
    """Return which rows (rows) are right at every place when each is asked for after the true answers."""
    right = logits_of(model, pair).argmax(dim=-1) == pair.target.tokens[:, 1:]
    return (right | ~mask_of(pair.target)[:, 1:]).all(dim=1)


def free_running(model: EncoderDecoder, pair: SequencePair, **options: Any) -> Tensor:
    """Return which rows (rows) are right when each answer is asked for after the model's own."""
    return (answers(model, pair, **options) == pair.target.tokens).all(dim=1)


def answers(model: EncoderDecoder, pair: SequencePair, **options: Any) -> Tensor:
    """Return what the model says on its own, as wide as the targets: longer answers are wrong and are cut."""
    tokens, _ = decode(model, *pair.source, max_new_tokens=pair.target.tokens.shape[1] - 1, **options)
    return pad(tokens, (0, pair.target.tokens.shape[1] - tokens.shape[1]))


def draw_targets(
    model: EncoderDecoder, pair: SequencePair, generator: torch.Generator, temperature: float | int = 1
) -> Batch:
    """Return a target of the model's own for each source, cut where the true ones are."""
    longest = pair.target.tokens.shape[1] - 1
    return Batch(*decode(model, *pair.source, max_new_tokens=longest, temperature=temperature, generator=generator))
