"""How fast are training and generation, beside transformers and a plain PyTorch loop, on this machine?

    uv run sprints/09_train_gpt2/benchmark.py
    uv run sprints/09_train_gpt2/benchmark.py --rounds 5 --steps 12

Every contender runs in a process of its own, in turns, so that none profits from another's settings and all see the
same noise. Compare the ratios, not the figures of different machines. Theory: notes/07_speed.md
"""

import multiprocessing
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from unittest import mock

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import GPT2Config, GPT2LMHeadModel

from shared.generation.decoding import generate
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers

SIZE = GPTConfig(vocab_size=2048, context=512, layers=4, heads=4, d_model=256, dropout=0.0)
# The size of train.py's default, for the race to a loss
SMALL = replace(SIZE, context=256, d_model=128)
CONTEXT, BATCH, NEW_TOKENS = 256, 16, 256


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: int = 3  # turns of each contender
    steps: int = 6  # training steps of a turn that are timed
    target: float = 0.8  # loss on the cookbook that the race goes to, in nats per token (about a 5-gram's)


@dataclass(frozen=True)
class Results:
    training: dict[str, list[float]]
    generation_1: dict[str, list[float]]
    generation_32: dict[str, list[float]]
    seconds_to_loss: dict[str, float]
    training_ratio: float
    float32_ratio: float
    fused_kernel_ratio: float
    freed_memory_ratio: float
    loss_ratio: float
    generation_ratio_1: float
    generation_ratio_32: float
    cache_ratio: float


def their_model(size: GPTConfig) -> GPT2LMHeadModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=size.vocab_size, n_positions=size.context, n_layer=size.layers, n_head=size.heads,
            n_embd=size.d_model, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=None,
        )
    )  # fmt: skip


class PlainTorch(nn.Module):
    """A GPT out of PyTorch's own layers, as one writes it in ten lines."""

    def __init__(self, size: GPTConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocab_size, size.d_model)
        self.positions = nn.Embedding(size.context, size.d_model)
        nn.init.normal_(self.embedding.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            size.d_model, size.heads, 4 * size.d_model, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, size.layers, nn.LayerNorm(size.d_model), enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.layers(x, mask=mask, is_causal=True) @ self.embedding.weight.T


def random_batches() -> Iterator[Batch]:
    """Yield full batches of random tokens: speed does not depend on what they say."""
    generator = torch.Generator().manual_seed(0)
    while True:
        yield Batch(torch.randint(SIZE.vocab_size, (BATCH, CONTEXT + 1), generator=generator), None)


def recipe_batches() -> Iterator[Batch]:
    """Return the training stream of train.py."""
    return CookbookCorpus(cookbook_tokenizer()).train_batches(BATCH, CONTEXT, torch.Generator())


def labels_of(batch: Batch) -> Tensor:
    """Return the tokens, with the label that cross-entropy ignores where they pad."""
    return batch.tokens if batch.mask is None else batch.tokens.masked_fill(~batch.mask, -100)


def plain_loop(
    model: nn.Module, loss_of: Callable[[nn.Module, Batch], Tensor], data: Iterator[Batch]
) -> Iterator[float]:
    """Train with the loop that everybody writes first, and yield each loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in data:
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def transformers_losses(size: GPTConfig, data: Iterator[Batch]) -> Iterator[float]:
    def loss_of(model: nn.Module, batch: Batch) -> Tensor:
        return model(batch.tokens, attention_mask=batch.mask, labels=labels_of(batch)).loss

    return plain_loop(their_model(size), loss_of, data)


def plain_torch_losses(size: GPTConfig, data: Iterator[Batch]) -> Iterator[float]:
    def loss_of(model: nn.Module, batch: Batch) -> Tensor:
        return functional.cross_entropy(model(batch.tokens[:, :-1]).flatten(0, 1), labels_of(batch)[:, 1:].flatten())

    return plain_loop(PlainTorch(size), loss_of, data)


def our_losses(
    size: GPTConfig, data: Iterator[Batch], muon: float | None = 0.02, precision: str = "auto"
) -> Iterator[float]:
    model = GPT(size)
    trained = train_steps(
        model,
        data,
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=3e-3, muon_learning_rate=muon),
        steps=1_000_000,
        precision=precision,
    )
    return (loss for _, loss in trained)


def training_rate(losses_of: Callable[..., Iterator[float]], steps: int, *arguments: object) -> float:
    """Return training tokens per second."""
    losses = losses_of(SIZE, random_batches(), *arguments)
    list(islice(losses, 2))  # warm-up
    began = time.perf_counter()
    list(islice(losses, steps))
    return steps * BATCH * CONTEXT / (time.perf_counter() - began)


def our_training_rate(
    steps: int, muon: float | None, precision: str = "auto", keep_memory: bool = True, fused_kernel: bool = False
) -> float:
    if keep_memory:
        keep_freed_memory()

    def fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float) -> Tensor:
        return functional.scaled_dot_product_attention(query, key, value, mask, dropout)

    with mock.patch("shared.nn.attention._attend_by_products", fused) if fused_kernel else nullcontext():
        return training_rate(our_losses, steps, muon, precision)


def seconds_to(losses_of: Callable[..., Iterator[float]], target: float) -> float:
    """Return the seconds until the mean of ten training losses on the cookbook is below a target."""
    if losses_of is our_losses:
        keep_freed_memory()
    data, last = recipe_batches(), deque(maxlen=10)
    losses = losses_of(SMALL, data)
    began = time.perf_counter()
    for loss in losses:
        last.append(loss)
        if len(last) == last.maxlen and statistics.mean(last) < target:
            break
    return time.perf_counter() - began


def generate_transformers(batch: int) -> float:
    model, tokens = their_model(SIZE).eval(), torch.randint(SIZE.vocab_size, (batch, 8))
    settings = {"do_sample": True, "top_k": 0, "pad_token_id": 0, "attention_mask": torch.ones_like(tokens)}
    model.generate(tokens, max_new_tokens=8, **settings)
    began = time.perf_counter()
    model.generate(tokens, max_new_tokens=NEW_TOKENS, **settings)
    return batch * NEW_TOKENS / (time.perf_counter() - began)


def generate_ours(batch: int, use_cache: bool = True) -> float:
    model, prompts = GPT(SIZE).eval(), torch.randint(SIZE.vocab_size, (batch, 8)).tolist()
    generate(model, prompts, max_new_tokens=8, use_cache=use_cache)
    began = time.perf_counter()
    generate(model, prompts, max_new_tokens=NEW_TOKENS, use_cache=use_cache)
    return batch * NEW_TOKENS / (time.perf_counter() - began)


RACERS = {"transformers": transformers_losses, "plain PyTorch": plain_torch_losses, "ours": our_losses}


def contenders(steps: int) -> dict[str, dict[str, tuple]]:
    """Return for each task the contenders: a function and its arguments."""
    return {
        "training": {
            "transformers, float32": (training_rate, transformers_losses, steps),
            "plain PyTorch, float32": (training_rate, plain_torch_losses, steps),
            "ours, float32, AdamW": (our_training_rate, steps, None, "float32"),
            "ours, AdamW": (our_training_rate, steps, None),
            "ours, Muon": (our_training_rate, steps, 0.02),
            "ours, AdamW, freed memory returned": (our_training_rate, steps, None, "auto", False),
            "ours, AdamW, fused kernel": (our_training_rate, steps, None, "auto", True, True),
        },
        "generation_1": {
            "transformers": (generate_transformers, 1),
            "ours": (generate_ours, 1),
            "ours, no cache": (generate_ours, 1, False),
        },
        "generation_32": {"transformers": (generate_transformers, 32), "ours": (generate_ours, 32)},
    }


def alone(function: Callable, *arguments: object) -> float:
    """Return what the function returns in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(config: Config) -> Results:
    tasks = contenders(config.steps)
    rates: dict[str, dict[str, list[float]]] = {task: {name: [] for name in who} for task, who in tasks.items()}
    for _ in tqdm(range(config.rounds), unit="round"):
        for task, who in tasks.items():
            for name, (function, *arguments) in who.items():
                rates[task][name].append(alone(function, *arguments))
    seconds = {name: alone(seconds_to, losses, config.target) for name, losses in RACERS.items()}
    for task, who in rates.items():
        print(f"\n{task}, tokens per second")
        for name, found in who.items():
            print(f"  {name:<36}{statistics.median(found):>9,.0f}   ({min(found):,.0f} to {max(found):,.0f})")
    print(f"\nseconds to a loss of {config.target} on the cookbook")
    for name, found in seconds.items():
        print(f"  {name:<36}{found:>9,.0f}")

    def ratio(task: str, ours: str, theirs: str) -> float:
        # Of neighbours in time, so that noise that lasts longer than a turn cancels.
        pairs = zip(rates[task][ours], rates[task][theirs], strict=True)
        return statistics.median(one / other for one, other in pairs)

    return Results(
        **rates,
        seconds_to_loss=seconds,
        training_ratio=ratio("training", "ours, AdamW", "transformers, float32"),
        float32_ratio=ratio("training", "ours, float32, AdamW", "transformers, float32"),
        fused_kernel_ratio=ratio("training", "ours, AdamW", "ours, AdamW, fused kernel"),
        freed_memory_ratio=ratio("training", "ours, AdamW", "ours, AdamW, freed memory returned"),
        loss_ratio=seconds["transformers"] / seconds["ours"],
        generation_ratio_1=ratio("generation_1", "ours", "transformers"),
        generation_ratio_32=ratio("generation_32", "ours", "transformers"),
        cache_ratio=ratio("generation_1", "ours", "ours, no cache"),
    )


def plot(results: Results) -> Figure:
    """Draw the training rates of all turns, and the seconds to the loss."""
    figure, (rates, race) = new_figure(width=9, columns=2)
    names = list(results.training)
    rates.barh(names, [statistics.median(found) for found in results.training.values()])
    for place, found in enumerate(results.training.values()):
        rates.plot(found, [place] * len(found), ".", color="black")
    rates.invert_yaxis()
    rates.set_xlabel("training tokens per second")
    race.barh(list(results.seconds_to_loss), list(results.seconds_to_loss.values()), color="C1")
    race.invert_yaxis()
    race.set_xlabel("seconds to the loss")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
