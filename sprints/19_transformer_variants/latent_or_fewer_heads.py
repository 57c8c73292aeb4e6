"""The same small cache in two ways: what do fewer key-value heads cost, and what does a latent?

    uv run sprints/19_transformer_variants/latent_or_fewer_heads.py
    uv run sprints/19_transformer_variants/latent_or_fewer_heads.py --preset full
    uv run sprints/19_transformer_variants/latent_or_fewer_heads.py --kinds all_heads

Decoders that differ in their attention alone learn the cookbook, whose optimum is known, with the same recipes and
steps. One key-value head and the latent keep as many numbers of a token: by default these two are trained once, with
one rate, which says nothing of small differences. `--preset full` adds a head of keys and values for each query head,
five runs, and the same search for each rate. Theory: notes/12_latent_attention.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, Even, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.latent_attention import LatentAttention
from shared.nn.latent_sizes import LatentSizes
from shared.nn.llama import Llama, LlamaConfig
from shared.text.batches import DocumentBatches
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear
from variants.ladder_runs import ADAMW_RATE, MUON_RATE, batches_of, optimum
from variants.trials import search_and_repeat

Kind = Literal["all_heads", "one_head", "latent"]
NAMES: dict[Kind, str] = {
    "all_heads": "a key-value head for each",
    "one_head": "one key-value head",
    "latent": "a latent and a shared key",
}

PRESETS = {
    "full": {"kinds": ("all_heads", "one_head", "latent"), "factors": (0.5, 1.0), "steps": 350, "seeds": 5},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    kinds: Annotated[tuple[Kind, ...], Different] = ("one_head", "latent")  # of attention
    latent: PositiveInt = 24  # features of the latent
    rotary_dim: Even = 8  # features of the shared key
    vocab_size: PositiveInt = 2048  # tokens of the vocabulary
    context: PositiveInt = 256  # tokens that a model is made for
    layers: PositiveInt = 3  # blocks
    heads: PositiveInt = 4  # query heads of a block
    d_model: PositiveInt = 64  # features of a token
    factors: Annotated[tuple[PositiveFloat, ...], Different] = (1.0,)  # of sprint 9's learning rates, tried
    steps: PositiveInt = 300  # optimizer steps
    batch_size: PositiveInt = 8  # recipes in a step
    validation_recipes: PositiveInt = 64  # by which the rate is chosen
    test_recipes: PositiveInt = 128  # by which the models are measured
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Measured:
    """A kind: parameters, numbers kept of a token in a layer, its search, and how far it is above the optimum."""

    parameters: int
    kept: int
    factor: float
    searched: dict[str, float]
    losses: list[float]
    above: MeanInterval


@dataclass(frozen=True)
class Results:
    optimum: float
    kinds: dict[str, Measured]
    latent_less_one_head: MeanInterval | None


def make_model(config: Config, kind: Kind, generator: torch.Generator) -> tuple[Llama, int]:
    """Return a decoder with a kind of attention, and the numbers that a layer keeps of a token."""
    groups = config.heads if kind == "all_heads" else 1
    head_dim = config.d_model // config.heads
    sizes = (config.context, config.layers, config.heads, groups, config.d_model, 8 * config.d_model // 3)
    model = Llama(LlamaConfig(config.vocab_size, *sizes), generator)
    if kind != "latent":
        return model, 2 * groups * head_dim
    latent = LatentSizes(config.d_model, config.heads, config.latent, head_dim, config.rotary_dim)
    for block in model.blocks:
        attention = LatentAttention(latent)
        block.attention = attention
        for weight in attention.parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=0.02, generator=generator)
    return model, latent.kept


def run_once(config: Config, corpus: CookbookCorpus, kind: Kind, factor: float, seed: int) -> tuple[float, float]:
    """Train one model; return its losses on the validation and test recipes, in nats per token."""
    model, _ = make_model(config, kind, seed_everything(seed))
    batches = DocumentBatches(partial(corpus.documents, "train"), config.batch_size, config.context + 1)
    batches.position = seed * config.steps * config.batch_size  # recipes of its own, the same for every kind
    training = train_steps(
        model,
        batches,
        loss_function=language_model_loss,
        optimizers=make_optimizers(
            model, learning_rate=ADAMW_RATE * factor, muon_learning_rate=MUON_RATE * factor
        ),
        steps=config.steps,
        schedule=partial(warmup_linear, steps=config.steps, warmup=max(1, config.steps // 20)),
    )  # fmt: skip
    for _ in tqdm(training, total=config.steps, desc=f"{NAMES[kind]}, seed {seed}", leave=False):
        pass
    streams = (("validation", config.validation_recipes), ("test", config.test_recipes))
    validation, test = (
        evaluate_loss(model, batches_of(corpus, name, count, config.context))[0] for name, count in streams
    )
    return validation, test


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # weights of a sure head are below the normal numbers, which are slow on a CPU
    keep_freed_memory()
    corpus = CookbookCorpus(cookbook_tokenizer(config.vocab_size))
    least, found = optimum(corpus, "test", config.test_recipes), {}
    for kind in config.kinds:
        once = partial(run_once, config, corpus, kind)
        trials = search_and_repeat(once, lambda losses: losses[0], config.factors, config.seeds, config.seed)
        losses = [test for _, test in trials.runs]
        model, kept = make_model(config, kind, torch.Generator())
        above = mean_interval([loss - least for loss in losses])
        found[kind] = Measured(model.parameter_count(), kept, trials.rate, trials.searched, losses, above)
        print(f"{NAMES[kind]}: keeps {kept}, above the optimum {show_interval(*above, '.3f')}")
    difference = None
    if "latent" in found and "one_head" in found:
        pairs = zip(found["latent"].losses, found["one_head"].losses, strict=True)
        difference = mean_interval([latent - head for latent, head in pairs])
        print(f"latent less one key-value head, run by run: {show_interval(*difference, '+.3f')}")
    return Results(least, found, difference)


def plot(results: Results) -> Figure:
    """Draw how far each kind is above the optimum by what it keeps of a token, with intervals and single runs."""
    figure, axes = new_figure(7.0, 3.6)
    for index, measured in enumerate(results.kinds.values()):
        runs = [loss - results.optimum for loss in measured.losses]
        axes.scatter(runs, [index + 0.18] * len(runs), s=14, alpha=0.5, color=f"C{index}")
        axes.errorbar(
            measured.above[0], index, xerr=error_bars([measured.above[1]]), fmt="o", capsize=4, color=f"C{index}"
        )  # fmt: skip
    names = [f"{NAMES[kind]}\n{found.kept} numbers a token" for kind, found in results.kinds.items()]  # ty: ignore[invalid-argument-type]
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="nats per token above the optimum", ylim=(len(names) - 0.5, -0.5))
    return figure


TOLERANCE = {"kinds.*": TRAINED, "kinds.*.factor": TIMING, "latent_less_one_head*": TRAINED}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
