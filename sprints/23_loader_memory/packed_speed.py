"""What does a training step cost: padded, packed with the block mask, packed without, and each document on its own?

    uv run sprints/23_loader_memory/packed_speed.py
    uv run sprints/23_loader_memory/packed_speed.py --kind uneven --layers 2 --d-model 64 --turns 5

Forward and backward of a GPT over the same documents, the ways in turns. Theory: notes/07_documents_apart.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from tqdm import tqdm

from memory_study.documents import Packed, block_mask, pack_rows, packed_logits, padding_free_logits
from memory_study.packing import first_fit_decreasing, uneven_lengths
from shared.lab.compare import ROUNDING, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt, check_heads
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import load_tokenizer
from shared.text.batches import pad_rows
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook
from shared.training.losses import token_losses

CONTEXT, VOCABULARY = 512, 2048
PRESETS = {"uneven": {"kind": "uneven"}}
BASELINE = "padded to the longest"


@dataclass(frozen=True)
class Config(ScriptConfig):
    kind: Literal["recipes", "uneven"] = "recipes"  # of documents; uneven: random tokens, most short, a few very long
    documents: PositiveInt = 24  # documents of a batch
    layers: PositiveInt = 4  # blocks of the model
    d_model: PositiveInt = 192  # features of a token
    heads: PositiveInt = 4  # attention heads
    turns: PositiveInt = 9  # times that each way is measured

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Step:
    """A forward and backward pass: places it computes, the loss, its time as a multiple of the baseline's."""

    places: int
    scores: int  # pairs of a query and a key for which something is computed, in a head of a layer
    loss: float
    ratios: list[float]  # to the baseline, by turn
    tokens_per_second: float


@dataclass(frozen=True)
class Results:
    ways: dict[str, Step]


def steps_of(model: GPT, documents: list[list[int]]) -> dict[str, tuple[Callable[[], Tensor], int, int]]:
    """Return each way to compute the mean loss, with the places and the scores that it computes."""
    lengths = [len(document) for document in documents]
    packed = pack_rows(documents, first_fit_decreasing(lengths, CONTEXT), CONTEXT)
    targets = sum(lengths) - len(lengths)

    def padded(width: int) -> Callable[[], Tensor]:
        tokens, mask = pad_rows([*documents, [0] * width])  # the last row makes the others as wide
        assert mask is not None
        return lambda: token_losses(model(tokens[:-1]), tokens[:-1], mask[:-1]).sum() / targets

    def with_mask(mask: Tensor | None, data: Packed = packed) -> Tensor:
        logits = packed_logits(model, data.tokens, data.positions, mask)
        return token_losses(logits, data.tokens, data.targets).sum() / targets

    def padding_free() -> Tensor:
        logits, real = padding_free_logits(model, packed), packed.documents >= 0
        row = packed.tokens[real][None]
        return token_losses(logits[None], row, packed.targets[real][None]).sum() / targets

    longest, rows = max(lengths), len(packed.tokens)
    places, triangle = rows * CONTEXT, CONTEXT * (CONTEXT + 1) // 2
    return {
        "padded to the context": (padded(CONTEXT), len(lengths) * CONTEXT, len(lengths) * triangle),
        BASELINE: (padded(longest), len(lengths) * longest, len(lengths) * longest * (longest + 1) // 2),
        "packed, block mask": (lambda: with_mask(block_mask(packed.documents)), places, rows * CONTEXT**2),
        "packed, no block mask": (lambda: with_mask(None), places, rows * triangle),
        "each document on its own": (padding_free, sum(lengths), sum(n * (n + 1) // 2 for n in lengths)),
    }


def documents_of(config: Config) -> list[list[int]]:
    if config.kind == "recipes":
        return recipe_part(Cookbook(), "train", config.documents, load_tokenizer()).documents
    generator = torch.Generator().manual_seed(config.seed)
    lengths = uneven_lengths(config.documents, CONTEXT, config.seed)
    return [torch.randint(1, VOCABULARY, (length,), generator=generator).tolist() for length in lengths]


def main(config: Config) -> Results:
    documents = documents_of(config)
    size = GPTConfig(VOCABULARY, CONTEXT, config.layers, config.heads, config.d_model, dropout=0.0)
    model = GPT(size, torch.Generator().manual_seed(config.seed))
    ways = steps_of(model, documents)
    losses: dict[str, float] = {}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in tqdm(range(config.turns + 1), unit="turn"):
        for name, (loss_of, *_) in ways.items():
            model.zero_grad()
            start = time.perf_counter()
            loss = loss_of()
            loss.backward()
            if turn:  # the first one warms up
                seconds[name].append(time.perf_counter() - start)
            losses[name] = loss.item()
    found = {}
    real = sum(map(len, documents))
    for name, (_, places, scores) in ways.items():
        ratios = [ours / base for ours, base in zip(seconds[name], seconds[BASELINE], strict=True)]
        speed = real / statistics.median(seconds[name])
        found[name] = Step(places, scores, losses[name], ratios, speed)
        print(f"{name:<26}{places:>7,} places, {scores:>9,} scores, loss {losses[name]:.6f}", end="")
        print(f"; {statistics.median(ratios):.2f} times the time of {BASELINE}, {speed:,.0f} real tokens a second")
    return Results(found)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance={"*": ROUNDING, "*.ratios.*": TIMING})
