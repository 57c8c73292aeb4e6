"""How fast is generation, beside transformers, and what is the cache of keys and values worth?

    uv run sprints/09_train_gpt2/generation_speed.py

Compare the ratios, not the figures of different machines. Theory: notes/13_speed.md
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile

from pretraining_study.contenders import (
    SIZE,
    Rates,
    alone,
    median_ratio,
    print_rates,
    rates_in_turns,
    transformers_model,
)
from shared.generation.decoding import generate
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: PositiveInt = 3  # turns of each contender
    new_tokens: PositiveInt = 256  # tokens to generate in a turn


@dataclass(frozen=True)
class Results:
    generation_1: Rates
    generation_32: Rates
    generation_ratio_1: float
    generation_ratio_32: float
    cache_ratio: float
    module_ratio: float
    microseconds: dict[str, dict[str, float]]


class CalledGPT(GPT):
    """Our model as generation calls any other one, module by module: `SingleTokens` takes a plain `GPT` alone."""


def generate_transformers(batch_size: int, new_tokens: int) -> float:
    """Return the tokens per second of transformers."""
    model, tokens = transformers_model(SIZE).eval(), torch.randint(SIZE.vocab_size, (batch_size, 8))
    settings = {"do_sample": True, "top_k": 0, "pad_token_id": 0, "attention_mask": torch.ones_like(tokens)}
    model.generate(tokens, max_new_tokens=8, **settings)
    began = time.perf_counter()
    model.generate(tokens, max_new_tokens=new_tokens, **settings)
    return batch_size * new_tokens / (time.perf_counter() - began)


def generate_ours(batch_size: int, new_tokens: int, use_cache: bool = True, kind: type[GPT] = GPT) -> float:
    """Return our tokens per second, with the cache or without."""
    model, prompts = kind(SIZE).eval(), torch.randint(SIZE.vocab_size, (batch_size, 8)).tolist()
    generate(model, prompts, max_new_tokens=8, use_cache=use_cache)
    began = time.perf_counter()
    generate(model, prompts, max_new_tokens=new_tokens, use_cache=use_cache)
    return batch_size * new_tokens / (time.perf_counter() - began)


def where_time_goes(name: str, new_tokens: int) -> dict[str, float]:
    """Return the microseconds that a token of one text takes: in products, in attention, in other operations, between.

    What is between the operations is Python: calls, shapes, choices. The profiler that times the operations costs time
    itself, so the parts are measured with it and scaled to the time without it.
    """
    if name == "transformers":
        model, tokens = transformers_model(SIZE).eval(), torch.randint(SIZE.vocab_size, (1, 8))
        settings = {"do_sample": True, "top_k": 0, "pad_token_id": 0, "attention_mask": torch.ones_like(tokens)}
        write = lambda: model.generate(tokens, max_new_tokens=new_tokens, **settings)  # noqa: E731
    else:
        ours = (CalledGPT if name == "ours, module by module" else GPT)(SIZE).eval()
        prompts = torch.randint(SIZE.vocab_size, (1, 8)).tolist()
        write = lambda: generate(ours, prompts, max_new_tokens=new_tokens)  # noqa: E731
    write()
    alone_seconds = seconds_of(write)
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        profiled_seconds = seconds_of(write)
    spent: dict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        products, attention = event.key in ("aten::addmm", "aten::mm", "aten::bmm"), "attention" in event.key
        spent["products" if products else "attention" if attention else "other operations"] += event.self_cpu_time_total
    spent["between operations"] = max(0, profiled_seconds * 1e6 - sum(spent.values()))
    return {part: alone_seconds * 1e6 * time / sum(spent.values()) / new_tokens for part, time in spent.items()}


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def main(config: Config) -> Results:
    one = {
        "transformers": (generate_transformers, 1, config.new_tokens),
        "ours": (generate_ours, 1, config.new_tokens),
        "ours, module by module": (generate_ours, 1, config.new_tokens, True, CalledGPT),
        "ours, no cache": (generate_ours, 1, config.new_tokens, False),
    }
    many = {
        "transformers": (generate_transformers, 32, config.new_tokens),
        "ours": (generate_ours, 32, config.new_tokens),
    }
    rates_of_one, rates_of_many = rates_in_turns(one, config.rounds), rates_in_turns(many, config.rounds)
    print_rates("generation of one text", rates_of_one)
    print_rates("generation of 32 texts at once", rates_of_many)
    names = ("transformers", "ours, module by module", "ours")
    microseconds = {name: alone(where_time_goes, name, config.new_tokens) for name in names}
    for name, parts in microseconds.items():
        print(f"{name:<24}", ", ".join(f"{part} {time:.0f}" for part, time in parts.items()), "microseconds a token")
    return Results(
        generation_1=rates_of_one,
        generation_32=rates_of_many,
        generation_ratio_1=median_ratio(rates_of_one, "ours", "transformers"),
        generation_ratio_32=median_ratio(rates_of_many, "ours", "transformers"),
        cache_ratio=median_ratio(rates_of_one, "ours", "ours, no cache"),
        module_ratio=median_ratio(rates_of_one, "ours", "ours, module by module"),
        microseconds=microseconds,
    )


if __name__ == "__main__":
    run(main, Config, tolerance={"*": TIMING})
