"""How fast are training and generation, beside transformers and a plain PyTorch loop, on this machine?

    uv run sprints/09_train_gpt2/benchmark.py
    uv run sprints/09_train_gpt2/benchmark.py --rounds 5 --steps 12

Every contender runs in a process of its own, in turns, so that none profits from another's settings and all see the
same noise. Compare the ratios, not the figures of different machines. Theory: notes/07_speed.md
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from shared.batches import Batch
from shared.config import ScriptConfig, option, parse_config
from shared.figures import new_figure
from shared.generation import generate
from shared.gpt import GPT, GPTConfig
from shared.losses import language_model_loss
from shared.results import save_results
from shared.runtime import keep_freed_memory
from shared.training import make_optimizers, train_steps

SIZE = GPTConfig(vocab_size=2048, context=512, layers=4, heads=4, d_model=256, dropout=0.0)
CONTEXT, BATCH, NEW_TOKENS = 256, 16, 256


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: int = option(3, "turns of each contender")
    steps: int = option(6, "training steps of a turn that are timed")


@dataclass(frozen=True)
class Results:
    training: dict[str, list[float]]
    generation_1: dict[str, list[float]]
    generation_32: dict[str, list[float]]
    training_ratio: float
    generation_ratio_1: float
    generation_ratio_32: float
    cache_ratio: float


def their_model() -> GPT2LMHeadModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=SIZE.vocab_size, n_positions=SIZE.context, n_layer=SIZE.layers, n_head=SIZE.heads,
            n_embd=SIZE.d_model, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=None,
        )
    )  # fmt: skip


class PlainTorch(nn.Module):
    """A GPT out of PyTorch's own layers, as one writes it in ten lines."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SIZE.vocab_size, SIZE.d_model)
        self.positions = nn.Embedding(SIZE.context, SIZE.d_model)
        layer = nn.TransformerEncoderLayer(
            SIZE.d_model, SIZE.heads, 4 * SIZE.d_model, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, SIZE.layers, nn.LayerNorm(SIZE.d_model), enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.layers(x, mask=mask, is_causal=True) @ self.embedding.weight.T


def batches():
    generator = torch.Generator().manual_seed(0)
    while True:
        yield torch.randint(SIZE.vocab_size, (BATCH, CONTEXT + 1), generator=generator)


def train_plainly(model: nn.Module, loss_of: Callable[[nn.Module, Tensor], Tensor], steps: int) -> float:
    """Train with the loop that everybody writes first and return tokens per second."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    data = batches()
    for step in range(steps + 2):
        if step == 2:  # two steps to warm up
            began = time.perf_counter()
        loss = loss_of(model, next(data))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return steps * BATCH * CONTEXT / (time.perf_counter() - began)


def train_transformers(steps: int) -> float:
    return train_plainly(their_model(), lambda model, tokens: model(tokens, labels=tokens).loss, steps)


def train_plain_torch(steps: int) -> float:
    def loss_of(model: nn.Module, tokens: Tensor) -> Tensor:
        return functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())

    return train_plainly(PlainTorch(), loss_of, steps)


def train_ours(steps: int, muon: float | None, precision: str = "auto") -> float:
    keep_freed_memory()
    model = GPT(SIZE)
    trained = train_steps(
        model,
        (Batch(tokens, None) for tokens in batches()),
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=1e-3, muon_learning_rate=muon),
        steps=steps + 2,
        precision=precision,
    )
    for step, _ in trained:
        if step == 2:
            began = time.perf_counter()
    return steps * BATCH * CONTEXT / (time.perf_counter() - began)


def generate_transformers(batch: int) -> float:
    model, tokens = their_model().eval(), torch.randint(SIZE.vocab_size, (batch, 8))
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


CONTENDERS: dict[str, dict[str, tuple]] = {
    "training": {
        "transformers, float32": (train_transformers,),
        "plain PyTorch, float32": (train_plain_torch,),
        "ours, float32, AdamW": (train_ours, None, "float32"),
        "ours, AdamW": (train_ours, None),
        "ours, Muon": (train_ours, 0.02),
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
    rates: dict[str, dict[str, list[float]]] = {task: {name: [] for name in who} for task, who in CONTENDERS.items()}
    for _ in range(config.rounds):
        for task, who in CONTENDERS.items():
            for name, (function, *arguments) in who.items():
                extra = (config.steps,) if task == "training" else ()
                rates[task][name].append(alone(function, *extra, *arguments))
    for task, who in rates.items():
        print(f"\n{task}, tokens per second")
        for name, found in who.items():
            print(f"  {name:<26}{statistics.median(found):>9,.0f}   ({min(found):,.0f} to {max(found):,.0f})")

    def ratio(task: str, ours: str, theirs: str) -> float:
        # Of neighbours in time, so that noise that lasts longer than a turn cancels.
        pairs = zip(rates[task][ours], rates[task][theirs], strict=True)
        return statistics.median(one / other for one, other in pairs)

    results = Results(
        **rates,
        training_ratio=ratio("training", "ours, AdamW", "transformers, float32"),
        generation_ratio_1=ratio("generation_1", "ours", "transformers"),
        generation_ratio_32=ratio("generation_32", "ours", "transformers"),
        cache_ratio=ratio("generation_1", "ours", "ours, no cache"),
    )
    print(f"\ntraining {results.training_ratio:.2f} x transformers; generation {results.generation_ratio_1:.2f} x")
    print(f"(batch 32: {results.generation_ratio_32:.2f} x), {results.cache_ratio:.2f} x with the cache as without")
    return results


def plot(results: Results) -> Figure:
    """Draw the training rates."""
    figure, axes = new_figure()
    names = list(results.training)
    axes.barh(names, [statistics.median(rates) for rates in results.training.values()])
    axes.invert_yaxis()
    axes.set_xlabel("training tokens per second")
    return figure


if __name__ == "__main__":
    config = parse_config(Config)
    save_results(main(config), config, script=__file__, plot=plot)
