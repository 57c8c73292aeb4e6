"""Why does dynamic int8 harm one model and not another? The largest input of each layer, and what rounding it costs.

    uv run sprints/14_quantization/activation_outliers.py
    uv run --group models sprints/14_quantization/activation_outliers.py --preset smollm2
    uv run --group models sprints/14_quantization/activation_outliers.py --model smollm2 --text my_text.txt

Only activations are rounded, the weights stay as they are. Theory: notes/07_outliers.md
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from quantizing.activations import InputSizes, Sharing, meeting_inputs, round_activations
from quantizing.passages import Block, how_many, loss_on, passages_for
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import load_causal_model

PRESETS = {"smollm2": {"model": "smollm2"}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # validation passages to score (default: 20 recipes, or 4 blocks of a text)
    # size of an activation's integers; PyTorch's engines for x86 keep one bit of eight in reserve
    bits: Annotated[int, Field(ge=2, le=16)] = 7
    left_out: tuple[PositiveInt, ...] = (1, 2, 5, 10)  # layers with the largest outliers to leave in float32


@dataclass(frozen=True)
class LayerInput:
    name: str
    block: int | None
    kind: str
    largest: float
    usual: float
    ratio: float
    place: int
    feature: int


@dataclass(frozen=True)
class Results:
    passages: int
    layers: list[LayerInput]
    float32: float
    loss: dict[str, float]


def describe(name: str, sizes: InputSizes) -> LayerInput:
    """Return what is known of a layer's inputs; its name says block and kind: model.layers.3.mlp.up_proj."""
    number = re.search(r"\.(\d+)\.", name)
    usual = sizes.usual()
    return LayerInput(
        name=name,
        block=int(number[1]) if number else None,
        kind=name.split(".", 3)[-1] if number else name,
        largest=sizes.largest,
        usual=usual,
        ratio=sizes.largest / max(usual, 1e-12),
        place=sizes.place,
        feature=sizes.feature,
    )


def rounding(bits: int, per: Sharing, spared: set[str]) -> Callable[[str, Tensor], Tensor | None]:
    """Return what rounds the inputs of all layers but those that are spared."""
    return lambda name, x: None if name in spared else round_activations(x, bits, per)


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    count = how_many(config.texts, passages, recipes=20, blocks=4)
    batches = passages.batches("validation", 0, count, batch_size=1)
    sizes: dict[str, InputSizes] = {}
    with torch.no_grad(), meeting_inputs(model, lambda name, x: sizes.setdefault(name, InputSizes()).add(x)):
        float32 = loss_on(model, batches)
    layers = [describe(name, found) for name, found in sizes.items()]
    worst = [layer.name for layer in sorted(layers, key=lambda layer: -layer.ratio)]
    ways: dict[str, tuple[Sharing, set[str]]] = {"one grid for a tensor": ("tensor", set())}
    for most in sorted({min(number, len(worst)) for number in config.left_out}):
        ways[f"the same, without the worst {most}"] = ("tensor", set(worst[:most]))
    ways["a grid for each token"] = ("token", set())
    loss = {}
    for name, (per, spared) in tqdm(ways.items(), unit="way"):
        with torch.no_grad(), meeting_inputs(model, rounding(config.bits, per, spared)):
            loss[name] = loss_on(model, batches)
    by_name = {layer.name: layer for layer in layers}
    print(f"\n{'largest inputs':<36}{'largest':>10}{'usual':>10}{'ratio':>8}  where")
    for layer in (by_name[name] for name in worst[:8]):
        print(f"{layer.name:<36}{layer.largest:10.1f}{layer.usual:10.2f}{layer.ratio:8.0f}", end="")
        print(f"  token {layer.place}, feature {layer.feature}")
    print(f"\nfloat32: {float32:.4f} nats a token; activations of {config.bits} bits:")
    for name, nats in loss.items():
        print(f"{name:<36}{nats:10.4f}  {nats / float32 - 1:+.2%}")
    return Results(count, layers, float32, loss)


def plot(results: Results) -> Figure:
    """Draw how far the largest input of each layer is from the usual, and what each way costs."""
    figure, (outliers, costs) = new_figure(width=10, height=4.2, columns=2)
    kinds = list(dict.fromkeys(layer.kind for layer in results.layers if layer.block is not None))
    for kind, marker in zip(kinds, "osD^v*Pphd", strict=False):
        of_kind = [layer for layer in results.layers if layer.kind == kind]
        at = [layer.block for layer in of_kind]
        outliers.plot(at, [layer.ratio for layer in of_kind], marker, markersize=5, alpha=0.8, label=kind)
    highest = max(layer.ratio for layer in results.layers)
    outliers.set(yscale="log", xlabel="block", ylabel="largest input / largest of the median token")
    outliers.set_ylim(1, max(100, 2 * highest))
    outliers.xaxis.set_major_locator(MaxNLocator(integer=True))
    outliers.legend(fontsize=8)
    names = list(results.loss)
    rises = [nats - results.float32 for nats in results.loss.values()]
    costs.barh(names, rises)
    for name, rise in zip(names, rises, strict=True):
        costs.annotate(f" {rise:+.4f}", (max(rise, 0), name), va="center", fontsize=8)
    costs.set(xlabel="loss above float32, nats per token")
    # So wide that what is noise looks like noise.
    right = max(1.3 * max(rises), 0.05)
    costs.set_xlim(min(*rises, -0.05 * right), right)
    costs.invert_yaxis()
    return figure


TOLERANCE = {"loss*": Tolerance(relative=0.01), "layers*": Tolerance(relative=0.05), "float32": Tolerance(1e-3)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
