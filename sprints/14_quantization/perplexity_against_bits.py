"""How few bits will a GPT do with? Its weights rounded to the nearest, by what shares a grid.

    uv run sprints/14_quantization/perplexity_against_bits.py
    uv run sprints/14_quantization/perplexity_against_bits.py --group 32
    uv run --group models sprints/14_quantization/perplexity_against_bits.py --preset smollm2

Only the weights are rounded; the computation stays in float32, so the perplexity shows what the rounding costs. The
file that SmolLM2 comes in holds 4-bit weights already, which flatters its figures at 4 bits.
Theory: notes/04_rounding_weights.md
"""

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn
from tqdm import tqdm
from transformers import PreTrainedModel

from quantizing.converted import with_linears
from quantizing.passages import Block, how_many, loss_on, passages_for
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.integer_grid import fake_quantize, least_squares
from shared.nn.pretrained import load_causal_model
from shared.training.losses import count_targets, perplexity

SCHEMES: dict[str, dict[str, Any]] = {
    "one grid for a matrix": {"per": "tensor"},
    "a grid for each channel": {"per": "channel"},
    "channel, least squared error": {"per": "channel", "choose_range": least_squares},
    "a grid for each group": {"per": "group"},
    "group, least squared error": {"per": "group", "choose_range": least_squares},
    "group, affine": {"per": "group", "symmetric": False},
}
PRESETS = {"smollm2": {"model": "smollm2", "bits": (8, 4, 3), "group": 32}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    bits: tuple[Annotated[int, Field(ge=2, le=16)], ...] = (8, 6, 5, 4, 3, 2)  # sizes of the integers
    group: PositiveInt = 64  # weights of a group
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # validation passages to score (default: 100 recipes, or 4 blocks of a text)


@dataclass(frozen=True)
class Results:
    bits: list[int]
    float32: float
    optimum: float | None
    passages: int
    perplexity: dict[str, list[float]]
    bits_with_scales: dict[str, list[float]]


def matrices(model: nn.Module) -> list[nn.Parameter]:
    """Return what is rounded: every matrix, the token embedding included; positions, norms and biases are not."""
    return [weight for name, weight in model.named_parameters() if weight.dim() == 2 and "wpe" not in name]


@torch.no_grad()
def rounded(model: PreTrainedModel, bits: int, group: int, scheme: dict) -> PreTrainedModel:
    """Return a copy whose matrices are rounded."""
    model = with_linears(model)
    for weight in matrices(model):
        weight.copy_(fake_quantize(weight, bits, group=group, **scheme))
    return model


def with_scales(model: nn.Module, bits: int, group: int, scheme: dict) -> float:
    """Return the bits of a weight, the 16-bit scale of each grid and an affine one's zero point counted."""
    of_a_grid = 16 + (0 if scheme.get("symmetric", True) else bits)
    weights, grids = 0, 0
    for weight in matrices(model):
        rows, columns = weight.shape
        weights += weight.numel()
        grids += {"tensor": 1, "channel": rows, "group": rows * (columns // group)}[scheme["per"]]
    return bits + of_a_grid * grids / weights


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    if (width := model.config.hidden_size) % config.group:
        raise ValueError(f"a row must divide into groups; got --group {config.group} for {width} weights: {width} fits")
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    count = how_many(config.texts, passages, recipes=100, blocks=4)
    batches = passages.batches("validation", 0, count)
    targets = sum(count_targets(*batch) for batch in batches)
    perplexities: dict[str, list[float]] = {name: [] for name in SCHEMES}
    stored: dict[str, list[float]] = {name: [] for name in SCHEMES}
    cells = [(name, bits) for name in SCHEMES for bits in config.bits]
    for name, bits in tqdm(cells, unit="model"):
        changed = rounded(model, bits, config.group, SCHEMES[name])
        perplexities[name].append(perplexity(loss_on(changed, batches)))
        stored[name].append(with_scales(changed, bits, config.group, SCHEMES[name]))
    results = Results(
        bits=list(config.bits),
        float32=perplexity(loss_on(model, batches)),
        optimum=None if (best := passages.optimum("validation", 0, count, targets)) is None else perplexity(best),
        passages=count,
        perplexity=perplexities,
        bits_with_scales=stored,
    )
    known = "unknown" if results.optimum is None else f"{results.optimum:.4f}"
    print(f"\nperplexity: the best possible {known}, float32 {results.float32:.4f}")
    print(f"{'bits':<32}" + "".join(f"{bits:>10}" for bits in config.bits))
    for name, values in perplexities.items():
        print(f"{name:<32}" + "".join(f"{value:10.4f}" for value in values))
    return results


def plot(results: Results) -> Figure:
    """Draw how far each scheme is above float32, by bits a weight."""
    figure, axes = new_figure()
    for number, (name, values) in enumerate(results.perplexity.items()):
        excess = [100 * (value / results.float32 - 1) for value in values]
        style = "--" if "least" in name else "-"
        axes.plot(results.bits_with_scales[name], excess, style, marker="o", color=f"C{number}", label=name)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_yscale("symlog", linthresh=0.1)  # rounding errors may make a text likelier, too
    rises = [100 * (value / results.float32 - 1) for values in results.perplexity.values() for value in values]
    axes.set_ylim(min(-0.05, 2 * min(rises)), 3 * max(rises))
    axes.set(xlabel="bits a weight, scales included", ylabel="perplexity above float32, %")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"perplexity*": Tolerance(relative=1e-3)})
