"""How many numbers does each method train? By formula, and counted in the model.

    uv run sprints/21_adapters_and_prompts/counted.py
    uv run sprints/21_adapters_and_prompts/counted.py --rank 16

The model is GPT-2 small without its numbers: what is counted are shapes. Theory: notes/01_bottlenecks.md,
notes/02_scales_and_biases.md, notes/03_directions_and_lengths.md
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure

from adaptation import bitfit, bottleneck, dora, ia3, lora_plus, vera
from adaptation.adapted_layer import count
from adaptation.places import GPT2
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.lora import LoRAConfig

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import GPT2LMHeadModel

LAYERS, D_MODEL = 12, 768  # GPT-2 small
SHAPES = tuple((D_MODEL * a, D_MODEL * b) for a, b in ((1, 3), (1, 1), (1, 4), (4, 1)))  # (in, out) in a block
WITHOUT_SIZE = ("ia3", "bitfit")


@dataclass(frozen=True)
class Config(ScriptConfig):
    rank: PositiveInt = 8  # of LoRA and DoRA
    bottleneck: PositiveInt = 64  # features that a bottleneck lets through
    vera_rank: PositiveInt = 256  # rows of VeRA's random matrices


@dataclass(frozen=True)
class Count:
    """Numbers that a method of a size trains: by formula, counted, and as a share of the model."""

    size: int | None
    formula: int
    counted: int
    share: float


@dataclass(frozen=True)
class Results:
    model: int
    methods: dict[str, Count]


def formulas(config: Config) -> dict[str, int]:
    """Return how many numbers each method trains in GPT-2 small."""
    r, width, d = config.rank, config.bottleneck, D_MODEL
    bottleneck = 2 * d * width + width + d  # two matrices, two biases
    return {
        "houlsby": LAYERS * 2 * bottleneck,  # behind attention and the feed-forward network
        "pfeiffer": LAYERS * bottleneck,  # behind the latter
        "ia3": LAYERS * (3 * d + 4 * d),  # queries, keys, values; hidden features
        "bitfit": LAYERS * sum(out for _, out in SHAPES) + (2 * LAYERS + 1) * d,  # linear layers; norms
        "vera": LAYERS * sum(config.vera_rank + out for _, out in SHAPES),  # r + out a matrix
        "lora": LAYERS * sum(r * (inner + out) for inner, out in SHAPES),  # r (in + out) a matrix
        "dora": LAYERS * sum(r * (inner + out) + out for inner, out in SHAPES),  # and a length for each output
    }


def ways(config: Config) -> dict[str, partial]:
    """Return what puts each method into GPT-2."""
    narrow, one = (bottleneck.BottleneckConfig(where, config.bottleneck) for where in (GPT2.outputs, GPT2.outputs[1:]))
    return {
        "houlsby": partial(bottleneck.inject, config=narrow),
        "pfeiffer": partial(bottleneck.inject, config=one),
        "ia3": partial(ia3.inject, config=ia3.IA3Config(GPT2.scaled, GPT2.hidden)),
        "bitfit": partial(bitfit.inject, config=bitfit.BitFitConfig()),
        "vera": partial(vera.inject, config=vera.VeRAConfig(GPT2.linear, config.vera_rank)),
        "lora": partial(lora_plus.inject, config=LoRAConfig(GPT2.linear, config.rank)),
        "dora": partial(dora.inject, config=dora.DoRAConfig(GPT2.linear, config.rank)),
    }


def empty_model() -> "GPT2LMHeadModel":
    """Return GPT-2 small with shapes and no numbers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.device("meta"):
        return GPT2LMHeadModel(GPT2Config(n_layer=LAYERS, n_embd=D_MODEL))


def main(config: Config) -> Results:
    whole = sum(parameter.numel() for parameter in empty_model().parameters())
    sizes = {"houlsby": config.bottleneck, "pfeiffer": config.bottleneck, "vera": config.vera_rank}
    methods, injections = {}, ways(config)
    for name, formula in formulas(config).items():
        counted, size = count(injections[name](empty_model())), sizes.get(name, config.rank)
        methods[name] = Count(None if name in WITHOUT_SIZE else size, formula, counted, counted / whole)
        print(f"{name}: {formula:,} by formula, {counted:,} counted, {counted / whole:.3%} of {whole:,}")
    return Results(whole, methods)


def plot(results: Results) -> Figure:
    """Draw a dot for each method, the smallest at the top."""
    figure, axes = new_figure(7.4, 3.6)
    methods = sorted(results.methods.items(), key=lambda item: -item[1].counted)
    names = [name if row.size is None else f"{name}, size {row.size}" for name, row in methods]
    axes.plot([row.counted for _, row in methods], names, "o", markersize=8)
    for place, (_, row) in enumerate(methods):
        axes.text(row.counted * 1.15, place, f"{row.counted:,} ({row.share:.2%})", va="center")
    axes.set(
        xscale="log",
        xlabel="trained numbers (logarithmic)",
        xlim=(4e4, 3e7),
        ylim=(-0.6, len(methods) - 0.4),
        title="GPT-2 small, 124 million",
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"methods.*": EXACT})
