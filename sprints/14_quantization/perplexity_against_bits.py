"""How few bits will a GPT do with? Its weights rounded to the nearest, by what shares a grid.

    uv run sprints/14_quantization/perplexity_against_bits.py
    uv run sprints/14_quantization/perplexity_against_bits.py --group 32

Only the weights are rounded; the computation stays in float32, so the perplexity shows what the rounding costs. Theory:
notes/04_rounding_weights.md
"""

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm
from transformers import PreTrainedModel

from quantizing.integer_grid import fake_quantize, least_squares
from quantizing.quantized_gpt2 import with_linears
from quantizing.recipe_batches import loss_on, optimum, recipe_batches
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import load_causal_model
from shared.training.losses import count_targets, perplexity

SCHEMES: dict[str, dict[str, Any]] = {
    "one grid for a matrix": {"per": "tensor"},
    "a grid for each channel": {"per": "channel"},
    "channel, least squared error": {"per": "channel", "choose_range": least_squares},
    "a grid for each group": {"per": "group"},
    "group, least squared error": {"per": "group", "choose_range": least_squares},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), a folder, or a name of the hub
    bits: tuple[Annotated[int, Field(ge=2, le=16)], ...] = (8, 6, 5, 4, 3, 2)  # sizes of the integers
    group: PositiveInt = 64  # weights of a group
    recipes: PositiveInt = 100  # recipes of the validation stream to score


@dataclass(frozen=True)
class Results:
    bits: list[int]
    float32: float
    optimum: float
    perplexity: dict[str, list[float]]
    bits_with_scales: dict[str, list[float]]


@torch.no_grad()
def rounded(model: PreTrainedModel, bits: int, group: int, scheme: dict) -> PreTrainedModel:
    """Return a copy whose matrices, the token embedding included, are rounded; positions, norms, biases are not."""
    model = with_linears(model)
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and "wpe" not in name:
            weight.copy_(fake_quantize(weight, bits, group=group, **scheme))
    return model


def with_scales(bits: int, per: str, group: int, d_model: int) -> float:
    """Return the bits of a weight when a scale of 16 bits for each grid is counted; a row has d_model weights."""
    return bits + {"tensor": 0.0, "channel": 16 / d_model, "group": 16 / group}[per]


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    if (width := model.config.hidden_size) % config.group:
        raise ValueError(f"a row must divide into groups; got --group {config.group} for {width} weights: {width} fits")
    batches = recipe_batches(tokenizer, "validation", 0, config.recipes)
    targets = sum(count_targets(*batch) for batch in batches)
    perplexities: dict[str, list[float]] = {name: [] for name in SCHEMES}
    cells = [(name, bits) for name in SCHEMES for bits in config.bits]
    for name, bits in tqdm(cells, unit="model"):
        perplexities[name].append(perplexity(loss_on(rounded(model, bits, config.group, SCHEMES[name]), batches)))
    results = Results(
        bits=list(config.bits),
        float32=perplexity(loss_on(model, batches)),
        optimum=perplexity(optimum("validation", 0, config.recipes, targets)),
        perplexity=perplexities,
        bits_with_scales={
            name: [with_scales(bits, scheme["per"], config.group, model.config.hidden_size) for bits in config.bits]
            for name, scheme in SCHEMES.items()
        },
    )
    print(f"\nperplexity: the best possible {results.optimum:.4f}, float32 {results.float32:.4f}")
    print(f"{'bits':<32}" + "".join(f"{bits:>10}" for bits in config.bits))
    for name, values in perplexities.items():
        print(f"{name:<32}" + "".join(f"{value:10.4f}" for value in values))
    return results


def plot(results: Results) -> Figure:
    """Draw how far each scheme is above float32, by bits a weight."""
    figure, axes = new_figure()
    for number, (name, values) in enumerate(results.perplexity.items()):
        excess = [max(100 * (value / results.float32 - 1), 1e-3) for value in values]
        style = "--" if "least" in name else "-"
        axes.plot(results.bits_with_scales[name], excess, style, marker="o", color=f"C{number}", label=name)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set(xlabel="bits a weight, scales included", ylabel="perplexity above float32, %")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"perplexity*": Tolerance(relative=1e-3)})
