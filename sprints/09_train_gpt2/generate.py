"""Write recipes, or continue yours, with the shipped model or another one.

    uv run sprints/09_train_gpt2/generate.py
    uv run sprints/09_train_gpt2/generate.py --prompt "" --temperature 0.7 --count 3

What temperature, top-k and top-p do is the subject of sprint 10. Theory: notes/09_generating.md
"""

import time
from dataclasses import dataclass

from pretraining_study.saved_models import from_folder
from shared.generation.decoding import generate
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFolder, NonNegativeFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.cookbook import Cookbook


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: ExistingFolder = SHIPPED_FOLDER  # folder in the format of transformers
    prompt: str = "Smoky Soup with"  # how the recipes begin
    count: PositiveInt = 2  # recipes to write
    max_new_tokens: PositiveInt = 230  # tokens to write at most
    temperature: NonNegativeFloat = (
        1.0  # below 1 more probable, above 1 more surprising; 0 takes the most probable token
    )
    top_k: PositiveInt | None = None  # choose among so many most probable tokens
    top_p: PositiveFraction | None = None  # choose among the most probable tokens that together have this probability


@dataclass(frozen=True)
class Results:
    texts: list[str]
    faults: list[str | None]
    tokens_per_second: float


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed, device)
    model, tokenizer = from_folder(config.model)
    model, cookbook = model.to(device), Cookbook()
    prompt = [tokenizer.end_token, *tokenizer.encode(config.prompt)]
    began = time.perf_counter()
    rows = generate(
        model,
        [prompt] * config.count,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        top_k=config.top_k,
        top_p=config.top_p,
        end_token=tokenizer.end_token,
        generator=generator,
    )
    seconds = time.perf_counter() - began
    texts = [config.prompt + tokenizer.decode(row) for row in rows]
    faults = [None if fault is None else str(fault) for fault in map(cookbook.fault, texts)]
    for text, fault in zip(texts, faults, strict=True):
        print(f"{text}\n\n({'a valid recipe' if fault is None else fault})\n")
    return Results(texts, faults, sum(map(len, rows)) / seconds)


if __name__ == "__main__":
    run(main, Config)
