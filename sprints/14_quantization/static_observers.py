"""How should static quantization find its ranges? Observers, amounts of text, and the output layer.

    uv run sprints/14_quantization/static_observers.py

Scored on validation text; what is chosen here goes once over the test text, in quality.py. Theory:
notes/02_calibration.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from tqdm import tqdm

from quantizing.quantized_gpt2 import (
    OBSERVERS,
    calibrate,
    check_converted,
    convert_static,
    linear_layers,
    prepare_static,
    use_engine,
)
from quantizing.recipe_batches import loss_on, recipe_batches
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import load_causal_model
from shared.training.losses import perplexity

HEADS = {"static": True, "dynamic": False}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), a folder, or a name of the hub
    recipes: PositiveInt = 100  # recipes of the validation stream to score
    calibration: tuple[PositiveInt, ...] = (1, 4, 16, 64)  # recipes to calibrate on, which are not scored
    engine: str = "auto"  # library that multiplies quantized matrices


@dataclass(frozen=True)
class Results:
    float32: float
    calibration: list[int]
    excess: dict[str, list[float]]


def main(config: Config) -> Results:
    use_engine(config.engine)
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    batches = recipe_batches(tokenizer, "validation", 0, config.recipes)
    float32 = perplexity(loss_on(model, batches))
    excess: dict[str, list[float]] = {}
    cells = [(observer, head, count) for observer in OBSERVERS for head in HEADS for count in config.calibration]
    for observer, head, count in tqdm(cells, unit="model"):
        prepared = prepare_static(model, observer, head=HEADS[head])
        texts = recipe_batches(tokenizer, "validation", config.recipes, count, batch_size=1)
        calibrate(prepared, [batch.tokens for batch in texts])
        converted = convert_static(prepared)
        check_converted(converted, linear_layers(model))
        above = perplexity(loss_on(converted, batches)) / float32 - 1
        excess.setdefault(f"{observer}, {head} head", []).append(above)
    print(f"\nperplexity of float32 {float32:.4f}; above it, by recipes to calibrate on")
    print(f"{'':<32}" + "".join(f"{count:>10}" for count in config.calibration))
    for name, values in excess.items():
        print(f"{name:<32}" + "".join(f"{value:10.2%}" for value in values))
    return Results(float32, list(config.calibration), excess)


def plot(results: Results) -> Figure:
    """Draw what each choice costs, by the text that it saw."""
    figure, axes = new_figure()
    for number, (name, values) in enumerate(results.excess.items()):
        style = "--" if name.endswith("dynamic head") else "-"
        percents = [100 * value for value in values]
        axes.plot(results.calibration, percents, style, marker="o", color=f"C{number // 2}", label=name)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_xticks(results.calibration, [str(count) for count in results.calibration])
    axes.minorticks_off()
    axes.set(xlabel="recipes to calibrate on", ylabel="perplexity above float32, %")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"excess*": Tolerance(absolute=2e-3)})
