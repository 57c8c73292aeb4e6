"""The tasks on which remedies are compared: for each a model, its stream of data, and what is measured on the test."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch

from seq2seq_study.noisy_reversal import NoisyReversal, compare, model_log_q
from seq2seq_study.sequence_tasks import FIRST, Pair, Sequences, answers, free_running, make_pair, small_model
from shared.lab.runtime import pick_device
from shared.nn.seq2seq import EncoderDecoder


class Options(Protocol):
    """What the tasks need to know."""

    device: str
    longest: int
    symbols: int
    pairs: int
    batch_size: int
    held_out: int


class Task(NamedTuple):
    """A model, a function that starts a stream of batches, and one that measures a model on the test."""

    model: EncoderDecoder
    stream: Callable[[], Iterator[Pair]]
    measure: Callable[[EncoderDecoder], dict[str, float]]


def reversal(config: Options, generator: torch.Generator) -> Task:
    """Return the reversal of sequences of different lengths."""
    device = pick_device(config.device)
    data = Sequences(config.symbols, 3, config.longest, 30 * config.held_out, generator)
    model = small_model(FIRST + config.symbols, generator, d_model=32, layers=1)
    test = make_pair(*data.test).to(device)
    odd = torch.randint(1, config.symbols, (len(data.test[0]),), generator=generator).to(device)

    def measure(model: EncoderDecoder) -> dict[str, float]:
        fresh = torch.Generator().manual_seed(0)
        wrong = FIRST + (test.target.tokens[:, 1] - FIRST + odd) % config.symbols
        tokens = test.target.tokens.clone()
        tokens[:, 1] = wrong  # the first answer is forced, and wrong
        said = model(test.source.tokens, tokens[:, :-1], test.source.mask).argmax(dim=-1)[:, 1]
        return {
            "exact match": free_running(model, test).float().mean().item(),
            "exact match, sampled": free_running(model, test, temperature=1, generator=fresh).float().mean().item(),
            "right after a wrong token": (said == test.target.tokens[:, 2]).float().mean().item(),
        }

    return Task(model, lambda: data.batches(config.batch_size, "reversal", device), measure)


def noisy(config: Options, noise: float, generator: torch.Generator) -> Task:
    """Return the noisy reversal, learnt from a fixed number of pairs."""
    device = pick_device(config.device)
    task = NoisyReversal(noise=noise)
    train_sources, _, test = task.split(config.held_out, generator)
    model = task.model(generator)
    stream = task.batches(train_sources, config.pairs, config.batch_size, generator)
    expected = task.marginals(test)

    def measure(model: EncoderDecoder) -> dict[str, float]:
        found = compare(task, test, model_log_q(task, model, test))
        said = answers(model, task.pair(test, test).to(device)).cpu()[:, 1:] - FIRST
        return {
            "divergence, data's prefixes": found.data_prefixes,
            "divergence, own prefixes": found.own_prefixes,
            "reverse divergence": found.reverse,
            "reward, sampled": found.reward,
            "reward, greedy": expected.gather(-1, said[..., None]).mean().item(),
        }

    return Task(model, lambda: (pair.to(device) for pair in stream), measure)


def known(noise: float) -> dict[str, float]:
    """Return what can be computed without a model: the best greedy reward, and the limit of scheduled sampling."""
    task = NoisyReversal(noise=noise)
    source = torch.arange(task.tokens)[None] % task.symbols
    marginals = task.marginals(source)
    shape = (1, task.symbols ** (task.tokens - 1), task.tokens, task.symbols)
    return {
        "best reward": marginals.amax(dim=-1).mean().item(),
        "reward of the task": marginals.square().sum(dim=-1).mean().item(),
        "divergence of the marginals": compare(task, source, marginals[:, None].expand(shape).log()).data_prefixes,
    }
