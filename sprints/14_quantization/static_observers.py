"""How should static quantization find its ranges? Observers, amounts of text, and the output layer.

    uv run sprints/14_quantization/static_observers.py
    uv run --group models sprints/14_quantization/static_observers.py --preset smollm2

Scored on validation text; what is chosen here goes once over the test text, in quality.py. Theory:
notes/06_activations.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from tqdm import tqdm

from quantizing.converted import check_converted, linear_layers
from quantizing.eager_mode import OBSERVERS, calibrate, convert_static, prepare_static, use_engine
from quantizing.passages import Block, how_many, loss_on, passages_for
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import load_causal_model
from shared.training.losses import perplexity

HEADS = {"static": True, "dynamic": False}
PRESETS = {"smollm2": {"model": "smollm2", "calibration": (1, 4)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # validation passages to score (default: 100 recipes, or 4 blocks of a text)
    calibration: tuple[PositiveInt, ...] = (1, 4, 16, 64)  # passages to calibrate on, which are not scored
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
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    scored = how_many(config.texts, passages, recipes=100, blocks=4)
    batches = passages.batches("validation", 0, scored)
    float32 = perplexity(loss_on(model, batches))
    excess: dict[str, list[float]] = {}
    cells = [(observer, head, count) for observer in OBSERVERS for head in HEADS for count in config.calibration]
    for observer, head, count in tqdm(cells, unit="model"):
        prepared = prepare_static(model, observer, head=HEADS[head])
        texts = passages.batches("validation", scored, count, batch_size=1)
        calibrate(prepared, [batch.tokens for batch in texts])
        converted = convert_static(prepared)
        check_converted(converted, linear_layers(model))
        above = perplexity(loss_on(converted, batches)) / float32 - 1
        excess.setdefault(f"{observer}, {head} head", []).append(above)
    print(f"\nperplexity of float32 {float32:.4f}; above it, by passages to calibrate on")
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
    axes.set_xscale("log")
    axes.set_xticks(results.calibration, [str(count) for count in results.calibration])
    axes.minorticks_off()
    axes.set(xlabel="passages to calibrate on", ylabel="perplexity above float32, %")
    axes.legend(ncols=2, fontsize=8, loc="upper left")
    axes.set_ylim(top=1.35 * max(100 * max(values) for values in results.excess.values()))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"excess*": Tolerance(absolute=2e-3)})
