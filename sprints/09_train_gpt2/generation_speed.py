"""How fast is generation, beside transformers, and what is the cache of keys and values worth?

    uv run sprints/09_train_gpt2/generation_speed.py

Compare the ratios, not the figures of different machines. Theory: notes/13_speed.md
"""

import time
from dataclasses import dataclass

import torch

from pretraining_study.contenders import SIZE, Rates, median_ratio, print_rates, rates_in_turns, transformers_model
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


def generate_transformers(batch_size: int, new_tokens: int) -> float:
    """Return the tokens per second of transformers."""
    model, tokens = transformers_model(SIZE).eval(), torch.randint(SIZE.vocab_size, (batch_size, 8))
    settings = {"do_sample": True, "top_k": 0, "pad_token_id": 0, "attention_mask": torch.ones_like(tokens)}
    model.generate(tokens, max_new_tokens=8, **settings)
    began = time.perf_counter()
    model.generate(tokens, max_new_tokens=new_tokens, **settings)
    return batch_size * new_tokens / (time.perf_counter() - began)


def generate_ours(batch_size: int, new_tokens: int, use_cache: bool = True) -> float:
    """Return our tokens per second, with the cache or without."""
    model, prompts = GPT(SIZE).eval(), torch.randint(SIZE.vocab_size, (batch_size, 8)).tolist()
    generate(model, prompts, max_new_tokens=8, use_cache=use_cache)
    began = time.perf_counter()
    generate(model, prompts, max_new_tokens=new_tokens, use_cache=use_cache)
    return batch_size * new_tokens / (time.perf_counter() - began)


def main(config: Config) -> Results:
    one = {
        "transformers": (generate_transformers, 1, config.new_tokens),
        "ours": (generate_ours, 1, config.new_tokens),
        "ours, no cache": (generate_ours, 1, config.new_tokens, False),
    }
    many = {
        "transformers": (generate_transformers, 32, config.new_tokens),
        "ours": (generate_ours, 32, config.new_tokens),
    }
    rates_of_one, rates_of_many = rates_in_turns(one, config.rounds), rates_in_turns(many, config.rounds)
    print_rates("generation of one text", rates_of_one)
    print_rates("generation of 32 texts at once", rates_of_many)
    return Results(
        generation_1=rates_of_one,
        generation_32=rates_of_many,
        generation_ratio_1=median_ratio(rates_of_one, "ours", "transformers"),
        generation_ratio_32=median_ratio(rates_of_many, "ours", "transformers"),
        cache_ratio=median_ratio(rates_of_one, "ours", "ours, no cache"),
    )


if __name__ == "__main__":
    run(main, Config, tolerance={"*": TIMING})
