"""The small models of this sprint, their likelihood under teacher forcing, and training that maximizes it."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn
from tqdm import tqdm

from seq2seq_study.sequences import SequencePair
from shared.nn.seq2seq import EncoderDecoder, Seq2SeqConfig
from shared.training.loop import train_steps
from shared.training.losses import count_targets, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear


def small_size(vocab: int, *, d_model: int = 64, layers: int = 2, context: int = 32) -> Seq2SeqConfig:
    """Return the size of this sprint's models: pre-norm, sinusoidal positions, four heads."""
    return Seq2SeqConfig(vocab, vocab, context, context, layers, layers, 4, d_model)


def small_model(vocab: int, generator: torch.Generator, *, d_model: int = 64, layers: int = 2) -> EncoderDecoder:
    """Return a model of this sprint's size."""
    return EncoderDecoder(small_size(vocab, d_model=d_model, layers=layers), generator)


def logits_of(model: nn.Module, pair: SequencePair) -> Tensor:
    """Return the logits (rows, answers, vocab) under teacher forcing: each answer is asked for after the true ones."""
    return model(pair.source.tokens, pair.target.tokens[:, :-1], pair.source.mask)


def maximum_likelihood(model: nn.Module, pair: SequencePair) -> tuple[Tensor, int]:
    """Return the summed loss of a batch and the number of its answers, as `train_steps` wants them."""
    losses = token_losses(logits_of(model, pair), *pair.target)
    return losses.sum(), count_targets(*pair.target)


def log_probability(model: nn.Module, pair: SequencePair) -> Tensor:
    """Return log q(target | source) of each row."""
    return -token_losses(logits_of(model, pair), *pair.target).sum(dim=1)


def train_model(
    model: nn.Module, batches: Iterator[SequencePair], steps: int, learning_rate: float = 3e-3, name: str | None = None
) -> list[float]:
    """Train by maximum likelihood with a linear warm-up and decay; return the loss of each step."""
    progress = train_steps(
        model,
        batches,
        loss_function=maximum_likelihood,
        optimizers=make_optimizers(model, learning_rate=learning_rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
    )
    losses = [loss for _, loss in tqdm(progress, total=steps, desc=name, disable=name is None)]
    model.eval()
    return losses
