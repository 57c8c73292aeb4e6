"""Why are activations harder to round than weights, and what does training through the rounding repair?

    uv run sprints/20_quantization_aware_training/activations.py
    uv run sprints/20_quantization_aware_training/activations.py --preset full
    uv run sprints/20_quantization_aware_training/activations.py --preset untrained
    uv run --group models sprints/20_quantization_aware_training/activations.py --preset smollm2

The inputs of all linear layers are rounded, the weights stay as they are. First nothing is trained; then the shipped
GPT with rounded inputs learns from the one without (note 8): its steps alone, or its weights as well. Without options
each is trained once, for fewer updates and on fewer texts than in `--preset full`, which has intervals.
Theory: notes/09_activations_and_outliers.md
"""

import copy
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn
from torch.optim import AdamW
from tqdm import tqdm

from aware.distillation import distillation_loss
from aware.input_texts import InputTexts, texts_for
from aware.rounded_inputs import Inputs, meet_inputs, round_inputs, steps_of
from aware.trials import on_one_thread, search_and_repeat, seeds_of
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, NonNegativeInt, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import Logits, load_causal_model
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss
from shared.training.schedules import warmup_linear

Arm = Literal["steps alone", "weights and steps", "weights, a step for each token"]
ARMS: tuple[Arm, ...] = ("steps alone", "weights and steps", "weights, a step for each token")
WAYS = ("one step, widest", "one step, least error", "a step for each token")
SIZES = 20.0  # a learned step moves by the learning rate times this share of its size: inputs are larger than weights
FULL = {"calibration": 16, "texts": 32, "rates": (1e-4, 3e-4, 1e-3), "updates": 40, "seeds": 5}
PRESETS = {
    "full": FULL,
    "untrained": FULL | {"updates": 0},
    "smollm2": FULL | {"model": "smollm2", "updates": 0, "calibration": 4, "texts": 8},
}
Bits = Annotated[int, Field(ge=2, le=8)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    bits: Annotated[tuple[Bits, ...], Different] = (8, 6, 4, 3)  # of an input, without training
    arms: Annotated[tuple[Arm, ...], Different] = ARMS  # of training
    trained_bits: Bits = 3  # of an input, with training
    calibration: PositiveInt = 8  # training texts by which steps are chosen
    texts: PositiveInt = 16  # to measure on, as many to choose rates by
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-3,)  # learning rates tried
    updates: NonNegativeInt = 30  # of a training; 0: nothing is trained
    batch_size: PositiveInt = 4  # texts in an update
    seeds: PositiveInt = 1  # trainings of each kind, on texts of their own


class Ended(NamedTuple):
    """Losses of a trained model, and how much larger its largest inputs are than usual (mean over layers)."""

    validation: float
    test: float
    outliers: float


@dataclass(frozen=True)
class Trained:
    rate: float
    searched: dict[str, float]
    above_float: MeanInterval  # nats per token above the float32 model that it learns from
    outliers: MeanInterval


@dataclass(frozen=True)
class Results:
    float32: float
    optimum: float | None
    untrained: dict[str, dict[str, float]]  # nats per token above float32, by way and bits
    outliers: float
    largest_ratio: float
    trained: dict[str, Trained]


def outlier_ratio(inputs: dict[str, Inputs]) -> float:
    """Return the mean over layers of the largest input beside the largest of the median token."""
    return sum(met.largest / met.usual for met in inputs.values()) / len(inputs)


def rounded(model: nn.Module, way: str, bits: int, inputs: dict[str, Inputs]) -> nn.Module:
    """Return a copy of a model whose inputs are rounded without training."""
    copied = copy.deepcopy(model)
    round_inputs(copied, bits, None if way == WAYS[2] else steps_of(inputs, bits, widest=way == WAYS[0]))
    return copied


def train(
    config: Config, model: nn.Module, texts: InputTexts, inputs: dict[str, Inputs], arm: Arm, seed: int, rate: float
) -> Ended:
    """Train a copy of a model, its inputs rounded, to say what the model itself says; measure it."""
    copied, groups, bits = copy.deepcopy(model), [], config.trained_bits
    if arm != "steps alone":
        groups.append({"params": list(copied.parameters()), "lr": rate})
    if arm == ARMS[2]:
        round_inputs(copied, bits)
    else:
        steps = round_inputs(copied, bits, steps_of(inputs, bits, widest=False), learned=True)
        groups += [{"params": [step], "lr": SIZES * rate * step.item()} for step in steps]
    training = train_steps(
        copied,
        texts.train_batches(config.batch_size, seed),
        loss_function=distillation_loss(model),
        optimizers=[AdamW(groups, betas=(0.9, 0.95), weight_decay=0.0)],
        steps=config.updates,
        schedule=partial(warmup_linear, steps=config.updates, warmup=max(1, config.updates // 10)),
    )
    for _ in tqdm(training, total=config.updates, desc=f"{arm}, {rate:g}, seed {seed}", leave=False):
        pass
    validation, test = (evaluate_loss(copied, texts.held_out(part, config.texts))[0] for part in ("validation", "test"))
    met = meet_inputs(copied, texts.alone(config.calibration), torch.Generator().manual_seed(0))
    return Ended(validation, test, outlier_ratio(met))


def main(config: Config) -> Results:
    on_one_thread()
    generator = seed_everything(config.seed)
    loaded, tokenizer = load_causal_model(config.model)
    model, texts = Logits(loaded), texts_for(config.model, tokenizer)
    test = texts.held_out("test", config.texts)
    float32, inputs = evaluate_loss(model, test)[0], meet_inputs(model, texts.alone(config.calibration), generator)
    ratios = {name: met.largest / met.usual for name, met in inputs.items()}
    print(f"float32: {float32:.4f} nats a token; the largest input is {outlier_ratio(inputs):.1f} times the usual one")
    untrained: dict[str, dict[str, float]] = {way: {} for way in WAYS}
    for way, bits in tqdm([(way, bits) for way in WAYS for bits in config.bits], unit="model", leave=False):
        untrained[way][str(bits)] = evaluate_loss(rounded(model, way, bits, inputs), test)[0] - float32
    for way, rises in untrained.items():
        print(f"{way:<24}" + "".join(f"{bits:>5} bits {rise:+.4f}" for bits, rise in rises.items()))
    trained: dict[str, Trained] = {}
    for arm in config.arms if config.updates else ():
        make = partial(train, config, model, texts, inputs, arm)
        trials = search_and_repeat(
            make, lambda ended: ended.validation, config.rates, seeds_of(config.seed, config.seeds)
        )
        above, ratio = ([ended.test - float32 for ended in trials.runs], [ended.outliers for ended in trials.runs])
        trained[arm] = Trained(trials.rate, trials.searched, mean_interval(above), mean_interval(ratio))
        print(f"trained, {arm:<24}{show_interval(*trained[arm].above_float, '+.4f')}", end="")
        print(f", largest inputs {show_interval(*trained[arm].outliers, '.2f')} times the usual")
    optimum = texts.optimum("test", config.texts)
    return Results(float32, optimum, untrained, outlier_ratio(inputs), max(ratios.values()), trained)


def plot(results: Results) -> Figure:
    """Draw what rounding the inputs costs by bits, and what training leaves of it."""
    figure, axes = new_figure(10.0, 4.0, columns=2) if results.trained else new_figure(7.0, 4.0)
    left = axes[0] if results.trained else axes
    for index, (way, rises) in enumerate(results.untrained.items()):
        bits = [int(count) for count in rises]
        left.plot(bits, [max(rise, 1e-4) for rise in rises.values()], "o-", color=COLOURS[index], label=way)
    left.set(yscale="log", xlabel="bits of an input (below 0.0001: drawn there)", ylabel="nats per token above float32")
    left.set_xticks(bits)
    left.legend(fontsize=9)
    if results.trained:
        right = axes[1]
        fewest = str(min(int(count) for count in next(iter(results.untrained.values()))))
        bars = {f"{way}, untrained": (rises[fewest], None) for way, rises in list(results.untrained.items())[1:]}
        bars |= {f"trained: {arm}": found.above_float for arm, found in results.trained.items()}
        for index, (mean, half) in enumerate(bars.values()):
            right.errorbar(mean, index, xerr=error_bars([half]), fmt="o", capsize=4, color=COLOURS[0 if half else 3])
            right.annotate(
                f"{mean:+.4f}", (mean, index), xytext=(0, 7), textcoords="offset points", fontsize=8, ha="center"
            )
        right.axvline(0, color="black", linewidth=1)
        right.set_yticks(range(len(bars)), list(bars))
        right.invert_yaxis()
        right.set(xlabel=f"nats per token above float32, {fewest} bits")
        right.margins(x=0.15)
    return figure


TOLERANCE = {
    "float32": Tolerance(1e-3), "untrained*": Tolerance(relative=0.2, absolute=2e-3), "outliers": Tolerance(0.02),
    "largest_ratio": Tolerance(0.02), "trained.*": TRAINED, "trained.*.rate": TIMING, "trained.*.searched*": TRAINED,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
