"""Easy to get wrong: a part of the model is not prepared, and rounded all the same at the end. What does it cost?

    uv run sprints/20_quantization_aware_training/forgotten_head.py
    uv run sprints/20_quantization_aware_training/forgotten_head.py --bits 3 --seeds 2

The shipped GPT is tuned with rounded weights, but for its token table, which is the output layer too, or but for its
Conv1D. After training all of it is rounded. No step of training goes wrong. Theory: notes/04_prepare_train_convert.md
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field
from torch import nn
from tqdm import tqdm

from aware.prepare import AwareConfig, is_conv1d, prepare
from aware.recipes import Recipes
from aware.trials import TEXTS_OF_A_SEED, tune
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.pretrained import Logits, load_causal_model
from shared.training.losses import evaluate_loss

TABLE = ("wte", "lm_head")
# What is left out of preparation, by the name of the way.
FORGOTTEN: dict[str, Callable[[str, nn.Module], bool]] = {
    "nothing forgotten": lambda _name, _module: False,
    "the table and the head": lambda name, _: name.endswith(TABLE),
    "all Conv1D": lambda _, module: is_conv1d(module),
    "everything": lambda _name, _module: True,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[int, Field(ge=2, le=8)] = 2  # size of the integers
    group: PositiveInt = 64  # weights that share a step
    steps: PositiveInt = 20  # optimizer steps
    batch_size: PositiveInt = 4  # recipes of a step
    learning_rate: PositiveFloat = 3e-4  # of weights; steps have a tenth
    test_recipes: PositiveInt = 50  # by which the models are measured
    seeds: PositiveInt = 5  # trainings of each way, on recipes of their own


@dataclass(frozen=True)
class Forgotten:
    """What was prepared, and the loss at the end of training and after the rest was rounded too."""

    prepared_layers: int
    prepared_weights: int
    trained: MeanInterval
    rounded: MeanInterval
    losses: list[float]


@dataclass(frozen=True)
class Results:
    layers: int
    weights: int
    float32: float
    optimum: float
    ways: dict[str, Forgotten]


def prepare_but(model: nn.Module, forgotten: Callable[[str, nn.Module], bool], config: AwareConfig) -> tuple[int, int]:
    """Prepare a model but for some layers; return how many layers and how many weights were prepared."""
    left = {name: module for name, module in model.named_modules() if forgotten(name, module)}
    layers = prepare(model, config).layers
    for name in left.keys() & layers.keys():
        model.set_submodule(name, left[name])
    taken = {id(layer.weight): layer.weight.numel() for name, layer in layers.items() if name not in left}
    return len(layers.keys() - left.keys()), sum(taken.values())


def main(config: Config) -> Results:
    keep_freed_memory()
    model, tokenizer = load_causal_model()
    texts = Recipes(tokenizer)  # ty: ignore[invalid-argument-type]
    aware = AwareConfig(config.bits, "group", config.group)
    test = texts.held_out("test", config.test_recipes)
    everything, ways = prepare(copy.deepcopy(model), aware), {}
    trainings = tqdm(total=len(FORGOTTEN) * config.seeds, unit="training")
    for way, forgotten in FORGOTTEN.items():
        trained, rounded, prepared = [], [], (0, 0)
        for seed in range(config.seed, config.seed + config.seeds):
            seed_everything(seed)
            tuned = copy.deepcopy(model)
            prepared = prepare_but(tuned, forgotten, aware)
            batches = texts.train_batches(config.batch_size, seed * TEXTS_OF_A_SEED)
            tune(Logits(tuned), batches, config.steps, config.learning_rate)
            trained.append(evaluate_loss(Logits(tuned), test.batches)[0])
            if prepared[0] < len(everything.layers):
                prepare(tuned, aware)  # the rest, after training: least-squares steps, and no step of training
            rounded.append(evaluate_loss(Logits(tuned), test.batches)[0])
            trainings.update()
        ways[way] = Forgotten(*prepared, mean_interval(trained), mean_interval(rounded), rounded)
        print(f"forgotten: {way:<24}{prepared[0]:>3} of {len(everything.layers)} layers prepared", end="")
        print(
            f"  trained {show_interval(*ways[way].trained, '.3f')}  rounded {show_interval(*ways[way].rounded, '.3f')}"
        )
    plain = evaluate_loss(Logits(model), test.batches)[0]
    return Results(len(everything.layers), everything.weights, plain, test.optimum, ways)


def plot(results: Results) -> Figure:
    """Draw both losses of each way, with intervals."""
    figure, axes = new_figure(7.2, 3.4)
    for row, found in enumerate(results.ways.values()):
        for name, (mean, half), colour, shift in (
            ("at the end of training", found.trained, "C0", -0.16),
            ("after all of it was rounded", found.rounded, "C3", 0.2),
        ):
            bars = error_bars([half])
            axes.errorbar(mean, row + shift, xerr=bars, fmt="o", color=colour, capsize=4, label=None if row else name)
            axes.annotate(
                f"{mean:.2f}", (mean, row + shift), (0, 6), textcoords="offset points", ha="center", fontsize=8
            )
    axes.axvline(results.float32, color="black", linestyle=":")
    axes.annotate("float32", (results.float32, -0.45), (5, 0), textcoords="offset points", fontsize=8)
    names = [f"{way}\n{found.prepared_layers} of {results.layers} prepared" for way, found in results.ways.items()]
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="nats per token on test recipes", ylim=(len(names) - 0.4, -0.6))
    axes.legend(loc="lower center", fontsize=8)
    return figure


TOLERANCE = {"*": TRAINED, "*.prepared_*": EXACT, "layers": EXACT, "weights": EXACT}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
