"""What makes dynamic int8 usable on a model with outliers? Finer grids, float32 for a few, and smoothing.

    uv run sprints/14_quantization/tame_outliers.py
    uv run --group models sprints/14_quantization/tame_outliers.py --preset smollm2
    uv run --group models sprints/14_quantization/tame_outliers.py --model smollm2 --text my_text.txt

Weights become int8 with a grid for each row, activations integers in the ways that are compared, on validation text.
What smoothing does best there goes once over the test text, in PyTorch's own dynamic int8. Theory:
notes/11_taming_outliers.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from tqdm import tqdm
from transformers import PreTrainedModel

from quantizing.activations import (
    InputSizes,
    Sharing,
    largest_inputs,
    meeting_inputs,
    round_activations,
    round_all_but,
)
from quantizing.converted import check_converted, linear_layers, with_linears
from quantizing.eager_mode import quantize_dynamically, use_engine
from quantizing.passages import Block, how_many, loss_on, passages_for
from quantizing.smoothing import smooth
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Fraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.integer_grid import fake_quantize
from shared.nn.pretrained import load_causal_model
from shared.text.batches import Batch

PRESETS = {"smollm2": {"model": "smollm2"}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # passages to score (default: 50 recipes, or 4 blocks of a text)
    calibration: PositiveInt | None = None  # training passages to look at (default: 50 recipes, or 4 blocks of a text)
    # size of an activation's integers; PyTorch's engines for x86 keep one bit of eight in reserve
    bits: Annotated[int, Field(ge=2, le=16)] = 7
    alphas: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.25, 0.5, 0.75)  # how much smoothing moves
    layers: PositiveInt = 5  # layers with the largest outliers to leave in float32
    features: PositiveInt = 4  # features with the largest outliers to leave in float32, in each layer
    engine: str = "auto"  # library that multiplies quantized matrices


class Way(NamedTuple):
    """How a model is quantized: what shares a grid (None: inputs stay as they are), and what is done for outliers."""

    per: Sharing | None
    alpha: float | None = None  # of smoothing
    layers: int = 0  # left in float32
    features: int = 0  # left in float32 in each layer


@dataclass(frozen=True)
class Results:
    passages: int
    linear_layers: int
    float32: float
    loss: dict[str, float]
    alpha: float
    test: dict[str, float]


def worst_layers(model: nn.Module, batches: Sequence[Batch], count: int) -> set[str]:
    """Return the names of the layers whose largest input is furthest above that of the median token."""
    sizes: dict[str, InputSizes] = {}
    with torch.no_grad(), meeting_inputs(model, lambda name, x: sizes.setdefault(name, InputSizes()).add(x)):
        loss_on(model, batches)
    return set(sorted(sizes, key=lambda name: -sizes[name].largest / max(sizes[name].usual(), 1e-12))[:count])


def worst_features(model: nn.Module, batches: Sequence[Batch], count: int) -> dict[str, Tensor]:
    """Return which input features of each layer are the largest: True for so many."""
    kept = {}
    for name, sizes in largest_inputs(model, batches).items():
        kept[name] = torch.zeros(len(sizes), dtype=torch.bool)
        kept[name][sizes.topk(min(count, len(sizes))).indices] = True
    return kept


@torch.no_grad()
def round_weights(model: nn.Module, spared: set[str], kept: dict[str, Tensor]) -> None:
    """Put each row of each weight on an int8 grid, but for layers that are spared and columns that are kept."""
    layers = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    for name, layer in layers:
        if name not in spared:
            columns = kept.get(name, torch.zeros(layer.in_features, dtype=torch.bool))
            rounded = fake_quantize(layer.weight.masked_fill(columns, 0), 8, "channel")
            # A new parameter: the token embedding keeps the old one.
            layer.weight = nn.Parameter(torch.where(columns, layer.weight, rounded))


def loss_in(way: Way, bits: int, model: PreTrainedModel, shown: Sequence[Batch], scored: Sequence[Batch]) -> float:
    """Return the loss of a model that is quantized in some way, its outliers found in the text that is shown."""
    model = with_linears(model) if way.alpha is None else smooth(model, largest_inputs(model, shown), way.alpha)
    spared = worst_layers(model, shown, way.layers) if way.layers else set()
    kept = worst_features(model, shown, way.features) if way.features else {}
    round_weights(model, spared, kept)

    def meet(name: str, x: Tensor) -> Tensor | None:
        if way.per is None or name in spared:
            return None
        return round_all_but(x, bits, way.per, kept[name]) if kept else round_activations(x, bits, way.per)

    with torch.no_grad(), meeting_inputs(model, meet):
        return loss_on(model, scored)


def main(config: Config) -> Results:
    use_engine(config.engine)
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    calibration = how_many(config.calibration, passages, recipes=50, blocks=4)
    count = how_many(config.texts, passages, recipes=50, blocks=4)
    # One at a time: without padding, whose numbers would count for the range.
    shown = passages.batches("train", 0, calibration, batch_size=1)
    validation, test = (passages.batches(part, 0, count, batch_size=1) for part in ("validation", "test"))
    ways = {
        "weights alone": Way(None),
        "one grid for a tensor": Way("tensor"),
        "a grid for each token": Way("token"),
        f"{config.layers} layers in float32": Way("tensor", layers=config.layers),
        f"{config.features} features in float32": Way("tensor", features=config.features),
    }
    ways |= {f"smoothed, alpha {alpha:g}": Way("tensor", alpha) for alpha in config.alphas}
    loss = {name: loss_in(way, config.bits, model, shown, validation) for name, way in tqdm(ways.items(), unit="way")}
    best = min(config.alphas, key=lambda alpha: loss[f"smoothed, alpha {alpha:g}"])
    both = {
        "smoothed, a grid for each token": Way("token", best),
        f"smoothed, {config.layers} layers in float32": Way("tensor", best, layers=config.layers),
    }
    loss |= {name: loss_in(way, config.bits, model, shown, validation) for name, way in tqdm(both.items(), unit="way")}
    smoothed = smooth(model, largest_inputs(model, shown), best)
    tested = {"float32": model, "float32, smoothed": smoothed}
    tested |= {"int8, dynamic": quantize_dynamically(model), "int8, dynamic, smoothed": quantize_dynamically(smoothed)}
    for name in ("int8, dynamic", "int8, dynamic, smoothed"):
        check_converted(tested[name], linear_layers(model))
    results = Results(
        passages=count,
        linear_layers=linear_layers(model),
        float32=loss_on(model, validation),
        loss=loss,
        alpha=best,
        test={name: loss_on(made, test) for name, made in tqdm(tested.items(), unit="model")},
    )
    print(f"\nvalidation, float32: {results.float32:.4f} nats a token; int8 weights, inputs of {config.bits} bits:")
    for name, nats in loss.items():
        print(f"{name:<40}{nats:10.4f}  {nats / results.float32 - 1:+.2%}")
    print(f"\ntest, PyTorch's own dynamic int8, alpha {best:g}:")
    for name, nats in results.test.items():
        print(f"{name:<40}{nats:10.4f}  {nats / results.test['float32'] - 1:+.2%}")
    return results


def plot(results: Results) -> Figure:
    """Draw what each way costs."""
    figure, axes = new_figure(width=7.5, height=4.2)
    rises = {name: 100 * (nats / results.float32 - 1) for name, nats in results.loss.items()}
    axes.barh(list(rises), list(rises.values()))
    for name, rise in rises.items():
        axes.annotate(f" {rise:+.2f} %", (max(rise, 0), name), va="center", fontsize=8)
    axes.set(xlabel="loss above float32, %")
    # So wide that what is noise looks like noise.
    right = max(1.25 * max(rises.values()), 1.0)
    axes.set_xlim(min(*rises.values(), -0.03 * right) * 1.2, right)
    axes.invert_yaxis()
    return figure


TOLERANCE = {"loss*": Tolerance(relative=0.01), "test*": Tolerance(relative=0.01), "float32": Tolerance(1e-3)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
