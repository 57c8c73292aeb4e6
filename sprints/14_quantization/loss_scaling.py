"""Why is the loss scaled when training in float16, and not in bfloat16? Real gradients, and those that vanish.

    uv run sprints/14_quantization/loss_scaling.py

Theory: notes/03_number_formats.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from quantizing.passages import Block, how_many, passages_for
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import Logits, load_causal_model
from shared.training.losses import next_token_loss

FORMATS = {"float16": torch.float16, "bfloat16": torch.bfloat16}
SMALLEST = -60


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # model whose gradients to look at: cookbook, smollm2, a folder, or a name of the hub
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # training passages of the batch (default: 16 recipes, or 1 block of a text)
    powers: tuple[Annotated[int, Field(ge=-100, le=100)], ...] = (
        0,
        4,
        8,
        12,
        16,
        20,
        24,
    )  # powers of two to multiply the loss with


@dataclass(frozen=True)
class Results:
    gradients: int
    log2_sizes: list[int]
    log2_counts: list[int]
    powers: list[int]
    vanish: dict[str, list[float]]
    overflow: dict[str, list[float]]


def gradients(config: Config) -> Tensor:
    """Return all gradients of the model on a batch of text that are not 0 in float32."""
    model, tokenizer = load_causal_model(config.model)
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    count = how_many(config.texts, passages, recipes=16, blocks=1)
    ((tokens, mask),) = passages.batches("train", 0, count, batch_size=count)
    next_token_loss(Logits(model)(tokens), tokens, mask).backward()
    slopes = torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])
    return slopes[slopes != 0]


def main(config: Config) -> Results:
    seed_everything(config.seed)
    slopes = gradients(config)
    vanish: dict[str, list[float]] = {name: [] for name in FORMATS}
    overflow: dict[str, list[float]] = {name: [] for name in FORMATS}
    for power in config.powers:
        print(f"loss times 2^{power:<3}", end="")
        for name, kind in FORMATS.items():
            # Scaling the loss scales every gradient; a power of two changes no other bit than the exponent's.
            scaled = (slopes * 2.0**power).to(kind)
            vanish[name].append((scaled == 0).float().mean().item())
            overflow[name].append(scaled.isinf().float().mean().item())
            print(f"  {name}: {vanish[name][-1]:.3%} vanish, {overflow[name][-1]:.4%} overflow", end="")
        print()
    counts = torch.histc(slopes.abs().log2(), -SMALLEST, SMALLEST, 0)
    return Results(
        gradients=len(slopes),
        log2_sizes=list(range(SMALLEST, 0)),
        log2_counts=[int(count) for count in counts],
        powers=list(config.powers),
        vanish=vanish,
        overflow=overflow,
    )


def plot(results: Results) -> Figure:
    """Draw the gradients by size beside the range of float16, and what scaling the loss does to them."""
    figure, (sizes, scaled) = new_figure(width=10, columns=2)
    sizes.bar(results.log2_sizes, results.log2_counts, width=1.0, align="edge")
    half = torch.finfo(torch.float16)
    for edge, label, style in (
        (half.smallest_normal, "smallest normal float16", "--"),
        (half.smallest_normal * half.eps, "smallest float16", "-"),
    ):
        sizes.axvline(math.log2(edge), color="C3", linestyle=style, label=label)
    sizes.set(xlabel="log2 of a gradient's size", ylabel="gradients")
    sizes.legend(loc="upper left", fontsize=8)
    for name, shares in results.vanish.items():
        wide = 5 if name == "bfloat16" else 1.5  # it lies under the overflow: both are 0
        percents = [100 * share for share in shares]
        scaled.plot(results.powers, percents, marker="o", linewidth=wide, label=f"{name}: vanish")
    over = [100 * share for share in results.overflow["float16"]]
    scaled.plot(results.powers, over, marker="s", linestyle=":", color="C3", label="float16: overflow")
    scaled.set_yscale("symlog", linthresh=1e-3)
    scaled.set_ylim(bottom=-2e-4)
    scaled.set(xlabel="loss multiplied by 2 to the power of", ylabel="% of the gradients")
    scaled.legend(fontsize=8)
    return figure


# The smallest gradients are the difference of large terms, which another order of sums changes.
TOLERANCE = {
    "gradients": Tolerance(relative=1e-3),
    "log2_counts*": Tolerance(relative=0.02, absolute=20.0),
    "vanish*": Tolerance(absolute=1e-3),
    "overflow*": Tolerance(absolute=1e-3),
}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
