"""Is a step of LoRA faster than one of full fine-tuning? It depends on how wide the layers are.

    uv run sprints/13_peft_lora/step_time.py
    uv run sprints/13_peft_lora/step_time.py --d-models 768 --tokens 512

Two blocks of GPT-2's kind with random weights take training steps in turns: all weights trained, or LoRA on all linear
layers. What arithmetic promises stands beside what the clock says. Theory: notes/03_what_it_saves.md
"""

import time
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from adapter_study.model_defaults import FAMILIES
from adapter_study.tuning_methods import prepare
from shared.checks.intervals import median_interval
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import Logits
from shared.text.batches import Batch
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers

HEAD_DIM = 32  # features of a head
VOCAB = 256  # tokens of the vocabulary: few, so that the blocks are what is timed
Width = Annotated[int, Field(ge=HEAD_DIM, le=8192, multiple_of=HEAD_DIM)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    d_models: tuple[Width, ...] = (96, 192, 384, 768)  # features of a token
    layers: PositiveInt = 2  # blocks of each model
    rank: PositiveInt = 8  # rank of LoRA on all linear layers
    batch_size: PositiveInt = 4  # rows of a batch
    tokens: Annotated[int, Field(ge=2, le=1024)] = 128  # tokens of a row
    rounds: PositiveInt = 12  # rounds of the timing; in each, both ways have their turn


@dataclass(frozen=True)
class StepTime:
    """LoRA's step as a part of full fine-tuning's: by counting products, and by the clock with a 95 % interval."""

    counted: float
    median: float
    low: float
    high: float
    full_seconds: float


@dataclass(frozen=True)
class Results:
    widths: dict[str, StepTime]


def counted_ratio(d_model: int, rank: int) -> float:
    """Return LoRA's multiplications as a part of full fine-tuning's, in the linear layers of a block.

    With all weights, forward, gradients of the inputs and gradients of the weights take 12 d^2 a token each. With LoRA
    the last part goes, and three parts for A and B of all layers come, 16 r d each.
    """
    return (2 * 12 * d_model**2 + 3 * 16 * rank * d_model) / (3 * 12 * d_model**2)


def make_step(method: str, d_model: int, config: Config, tokens: Tensor) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a fresh model of which a method trains what it trains, and its optimizer."""
    generator = seed_everything(config.seed)
    size = GPT2Config(
        vocab_size=VOCAB, n_positions=config.tokens, n_embd=d_model, n_layer=config.layers, n_head=d_model // HEAD_DIM,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    lora = LoRAConfig(FAMILIES["gpt2"].linear, config.rank)
    model = Logits(prepare(method, GPT2LMHeadModel(size).to(tokens.device), lora, generator)).train()
    (optimizer,) = make_optimizers(model, learning_rate=1e-4)
    return model, optimizer


def take_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    """Take a step of training and return its seconds."""
    began = time.perf_counter()
    optimizer.zero_grad()
    loss, _ = language_model_loss(model, batch)
    loss.backward()
    optimizer.step()
    if batch.tokens.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - began


def main(config: Config) -> Results:
    keep_freed_memory()
    generator = seed_everything(config.seed)
    device = pick_device(config.device)
    tokens = torch.randint(VOCAB, (config.batch_size, config.tokens), generator=generator).to(device)
    widths = {}
    for d_model in config.d_models:
        ways = {method: make_step(method, d_model, config, tokens) for method in ("full", "lora")}
        seconds: dict[str, list[float]] = {method: [] for method in ways}
        for turn in range(config.rounds + 2):
            for method, (model, optimizer) in ways.items():
                taken = take_step(model, optimizer, Batch(tokens, None))
                if turn >= 2:  # the first turns warm up
                    seconds[method].append(taken)
        ratios = [lora / full for full, lora in zip(seconds["full"], seconds["lora"], strict=True)]
        found = StepTime(counted_ratio(d_model, config.rank), *median_interval(ratios, generator), min(seconds["full"]))
        widths[str(d_model)] = found
        print(
            f"d_model {d_model:5d}: counted {found.counted:.2f}, "
            f"took {found.median:.2f} ({found.low:.2f} to {found.high:.2f})"
        )
    return Results(widths)


def plot(results: Results) -> Figure:
    """Draw LoRA's step as a part of full fine-tuning's by the width of the model."""
    figure, axes = new_figure(6.5, 3.5)
    widths, times = [int(width) for width in results.widths], list(results.widths.values())
    medians = [one.median for one in times]
    errors = [[one.median - one.low for one in times], [one.high - one.median for one in times]]
    axes.errorbar(widths, medians, errors, marker="o", capsize=3, label="by the clock, median and 95 % interval")
    axes.plot(widths, [one.counted for one in times], marker="s", label="by counting multiplications")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.axhline(2 / 3, color="grey", linewidth=0.8, linestyle=":", label="two thirds")
    axes.set(xscale="log", xlabel="d_model, features of a token", ylabel="LoRA's step / step of full fine-tuning")
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.set_ylim(0, None)
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"widths.*.median": TIMING, "widths.*.low": TIMING, "widths.*.high": TIMING})
