"""The tasks on which remedies are compared: for each a model, its stream of data, and what is measured on the test."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from seq2seq_study.exact_divergence import measure_divergence, model_log_q
from seq2seq_study.exact_match import answers, free_running
from seq2seq_study.likelihood import log_probability, small_model
from seq2seq_study.noisy_reversal import NoisyReversal
from seq2seq_study.sequences import FIRST, SequencePair, Sequences, make_pair
from shared.nn.seq2seq import EncoderDecoder


class RemedyTask(NamedTuple):
    """A model, functions that start a stream of batches and measure on the test, and one by which rates are chosen.

    `validate` is higher for a better model: the mean probability of the true answers of the reversal, which is what
    sampled exact match estimates; on a noisy task minus the divergence on own prefixes. It never sees the test.
    """

    model: EncoderDecoder
    stream: Callable[[], Iterator[SequencePair]]
    measure: Callable[[EncoderDecoder], dict[str, float]]
    validate: Callable[[EncoderDecoder], float]


def reversal_task(
    generator: torch.Generator,
    *,
    symbols: int,
    longest: int,
    batch_size: int,
    held_out: int,
    device: torch.device,
) -> RemedyTask:
    """Return the reversal of sequences of different lengths."""
    data = Sequences(symbols, 3, longest, held_out, generator)
    model = small_model(FIRST + symbols, generator, d_model=32, layers=1)
    test = make_pair(*data.test).to(device)
    shift = torch.randint(1, symbols, (len(data.test[0]),), generator=generator).to(device)

    def measure(model: EncoderDecoder) -> dict[str, float]:
        sampling = torch.Generator().manual_seed(0)
        tokens = test.target.tokens.clone()
        tokens[:, 1] = FIRST + (tokens[:, 1] - FIRST + shift) % symbols  # the first answer is forced, and wrong
        second = model(test.source.tokens, tokens[:, :-1], test.source.mask).argmax(dim=-1)[:, 1]
        return {
            "exact match": free_running(model, test).float().mean().item(),
            "exact match, sampled": free_running(model, test, temperature=1, generator=sampling).float().mean().item(),
            "next token after a wrong one": (second == test.target.tokens[:, 2]).float().mean().item(),
        }

    validation = make_pair(*data.validation).to(device)
    return RemedyTask(
        model,
        lambda: data.batches(batch_size, "reversal", device),
        measure,
        lambda model: log_probability(model, validation).exp().mean().item(),
    )


def noisy_task(
    generator: torch.Generator, *, noise: float, pairs: int, batch_size: int, held_out: int, device: torch.device
) -> RemedyTask:
    """Return the noisy reversal, learnt from a fixed number of pairs."""
    task = NoisyReversal(noise=noise)
    train_sources, validation, test = task.split(held_out, generator)
    model = task.model(generator)
    stream = task.batches(train_sources, pairs, batch_size, generator)
    expected = task.marginals(test)

    def measure(model: EncoderDecoder) -> dict[str, float]:
        divergence = measure_divergence(task, test, model_log_q(task, model, test))
        greedy = answers(model, task.pair(test, test).to(device)).cpu()[:, 1:] - FIRST
        return {
            "divergence, data's prefixes": divergence.data_prefixes,
            "divergence, own prefixes": divergence.own_prefixes,
            "reverse divergence": divergence.reverse,
            "reward, sampled": divergence.reward,
            "reward, greedy": expected.gather(-1, greedy[..., None]).mean().item(),
        }

    def validate(model: EncoderDecoder) -> float:
        return -measure_divergence(task, validation, model_log_q(task, model, validation)).own_prefixes

    return RemedyTask(model, lambda: (pair.to(device) for pair in stream), measure, validate)


def known(noise: float) -> dict[str, float]:
    """Return what can be computed without a model: the best greedy reward, and the limit of scheduled sampling."""
    task = NoisyReversal(noise=noise)
    source = torch.arange(task.tokens)[None] % task.symbols
    marginals = task.marginals(source)
    shape = (1, task.symbols ** (task.tokens - 1), task.tokens, task.symbols)
    limit = measure_divergence(task, source, marginals[:, None].expand(shape).log())
    return {
        "best reward": marginals.amax(dim=-1).mean().item(),
        "reward of the task": marginals.square().sum(dim=-1).mean().item(),
        "divergence of the marginals": limit.data_prefixes,
    }
