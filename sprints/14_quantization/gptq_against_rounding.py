"""Is rounding to the nearest the best that 4 bits allow? GPTQ beside it, on every linear layer of a model.

    uv run sprints/14_quantization/gptq_against_rounding.py
    uv run sprints/14_quantization/gptq_against_rounding.py --bits 3 --group 32
    uv run --group models sprints/14_quantization/gptq_against_rounding.py --preset smollm2

Both use the same symmetric grids for groups of weights, and the output layer, which may be the token embedding as well,
is rounded like the others. GPTQ sees training text; the loss is of the test text, on which nothing is chosen.
Theory: notes/12_gptq.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from quantizing.layer_by_layer import LayerError, gptq_all, round_all
from quantizing.passages import Block, how_many, loss_on, passages_for
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import load_causal_model

PRESETS = {"smollm2": {"model": "smollm2", "bits": (4, 3), "group": 32}}
Bits = Annotated[int, Field(ge=2, le=8)]
NEAREST, GPTQ = "rounded to the nearest", "GPTQ"


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # test passages to score (default: 100 recipes, or 8 blocks of a text)
    calibration: PositiveInt | None = None  # training passages to look at (default: 100 recipes, or 16 blocks)
    bits: Annotated[tuple[Bits, ...], Field(min_length=1)] = (4, 3, 2)  # sizes of the integers
    group: PositiveInt = 64  # weights of a group
    damping: PositiveFloat = 0.01  # share of the mean of a Hessian's diagonal that is added to it; the paper's


@dataclass(frozen=True)
class Results:
    passages: int
    tokens_seen: int
    float32: float
    bits: list[int]
    loss: dict[str, list[float]]
    layers: list[LayerError]  # at the first number of bits


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    # One at a time: padding would count as text.
    seen = passages.batches(
        "train", 0, how_many(config.calibration, passages, recipes=100, blocks=16), batch_size=1
    )  # fmt: skip
    count = how_many(config.texts, passages, recipes=100, blocks=8)
    batches = passages.batches("test", 0, count)
    float32 = loss_on(model, batches)
    loss: dict[str, list[float]] = {NEAREST: [], GPTQ: []}
    layers: list[LayerError] = []
    for bits in tqdm(config.bits, unit="size"):
        loss[NEAREST].append(loss_on(round_all(model, bits, config.group).model, batches))
        quantized = gptq_all(model, seen, bits, config.group, config.damping)
        loss[GPTQ].append(loss_on(quantized.model, batches))
        layers = layers or [LayerError(*error) for error in quantized.errors]
    tokens = sum(batch.tokens.numel() for batch in seen)
    results = Results(count, tokens, float32, list(config.bits), loss, layers)
    print(f"\nfloat32: {float32:.4f} nats a token")
    print(f"{'bits':<28}" + "".join(f"{bits:>20}" for bits in config.bits))
    for name, values in loss.items():
        print(f"{name:<28}" + "".join(f"{nats:10.4f} {nats / float32 - 1:+9.2%}" for nats in values))
    better = sum(layer.gptq < layer.nearest for layer in layers)
    print(f"at {config.bits[0]} bits the outputs of {better} of {len(layers)} layers are nearer with GPTQ")
    return results


def plot(results: Results) -> Figure:
    """Draw the error of each layer's outputs, and the loss by bits."""
    figure, (errors, losses) = new_figure(width=10, height=4.2, columns=2)
    nearest = [layer.nearest for layer in results.layers]
    gptq = [layer.gptq for layer in results.layers]
    ends = (min(nearest + gptq) / 2, max(nearest + gptq) * 2)
    errors.plot(ends, ends, color="black", linewidth=0.8, linestyle=":")
    errors.plot(nearest, gptq, "o", markersize=5, alpha=0.7)
    errors.annotate("equal", (ends[1], ends[1]), xytext=(-8, -14), textcoords="offset points", ha="right", fontsize=8)
    errors.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    errors.set(xlabel="squared error of a layer, rounded to the nearest", ylabel="with GPTQ")
    places = range(len(results.bits))
    for number, (name, values) in enumerate(results.loss.items()):
        rises = [100 * (nats / results.float32 - 1) for nats in values]
        bars = [place + 0.4 * (number - 0.5) for place in places]
        losses.bar(bars, rises, width=0.38, label=name)
        for bar, rise in zip(bars, rises, strict=True):
            losses.annotate(f"{rise:+.3g} %", (bar, max(rise, 0.1)), ha="center", va="bottom", fontsize=8)
    losses.set_yscale("symlog", linthresh=1)
    losses.set_xticks(list(places), [f"{bits} bits" for bits in results.bits])
    losses.set(ylabel="loss above float32, %")
    losses.legend()
    return figure


TOLERANCE = {"loss*": Tolerance(relative=0.02), "layers*": Tolerance(relative=0.1), "float32": Tolerance(1e-3)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
