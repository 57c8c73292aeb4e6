"""Timing of contenders in turns, and the bootstrap interval of their ratio.

On a shared machine the speed of everything wanders together. Neighbours in time see the same machine, so the ratio
within a turn is steadier than any time; resampling the turns says how well it is known.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm
from transformers import DynamicCache, GPT2Config, GPT2LMHeadModel, PreTrainedModel

from shared.checks.intervals import median_interval

Contender = Callable[[], float]
M = TypeVar("M", bound=PreTrainedModel)


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as the baseline, with a 95 % bootstrap interval, and what may be said of it."""

    estimate: float
    low: float
    high: float
    verdict: str


def ratio(baseline: list[float], other: list[float], generator: torch.Generator, resamples: int = 2000) -> Ratio:
    """Return the median over turns of the ratio of seconds, and its interval by resampling turns.

    Raises:
        ValueError: no turns, or not the same number of them.
    """
    if not baseline or len(baseline) != len(other):
        raise ValueError(f"a ratio needs both times of every turn; got {len(baseline)} and {len(other)} turns")
    ratios = torch.tensor(baseline) / torch.tensor(other)
    estimate, low, high = median_interval(ratios.tolist(), generator, resamples)
    verdict = "faster" if low > 1 else "slower" if high < 1 else "no difference shown"
    return Ratio(estimate, low, high, verdict)


def take_turns(contenders: Mapping[str, Contender], turns: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Return the seconds of every turn of every contender, after some turns that do not count.

    Every other turn goes through the contenders in reverse, so that none always follows the same one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in tqdm(range(-warm_up, turns), unit="turn"):
        for name in contenders if turn % 2 else reversed(list(contenders)):
            taken = contenders[name]()
            if turn >= 0:
                seconds[name].append(taken)
    return seconds


def random_gpt2(layers: int, d_model: int, vocab_size: int) -> GPT2LMHeadModel:
    """Return a GPT-2 with random weights; its speed is that of a trained one."""
    size = GPT2Config(n_layer=layers, n_embd=d_model, n_head=d_model // 64, vocab_size=vocab_size)
    return never_ending(GPT2LMHeadModel(size).eval())


def never_ending(model: M) -> M:
    """Return a model of which no token ends a text, so that every contender writes as much as the others."""
    for settings in (model.config, model.generation_config):
        settings.eos_token_id = settings.bos_token_id = None
    return model


@torch.inference_mode()
def prefill_seconds(model: Any, tokens: Tensor) -> float:
    """Return the seconds that reading a prompt takes; only the logits of the next token are computed."""
    began = time.perf_counter()
    model(tokens, use_cache=True, logits_to_keep=1)
    return time.perf_counter() - began


@torch.inference_mode()
def decode_seconds(model: Any, prompt: Tensor, new_tokens: int) -> float:
    """Return the seconds per token of greedy decoding with a cache of keys and values, the prompt not counted."""
    cache = DynamicCache(config=model.config)
    token = model(prompt, cache=cache, use_cache=True, logits_to_keep=1).logits.argmax(-1)  # (batch, 1)
    began = time.perf_counter()
    for _ in range(new_tokens):
        token = model(token, cache=cache, use_cache=True).logits.argmax(-1)
    return (time.perf_counter() - began) / new_tokens


def generate_seconds(model: Any, prompt: Tensor, new_tokens: int) -> float:
    """Return the same for the library's own loop; the prompt is read once more than that, which is counted."""
    began = time.perf_counter()
    model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        do_sample=False,
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        pad_token_id=0,
    )
    return (time.perf_counter() - began) / new_tokens
