"""How much of what rounding costs comes back when a GPT learns with its rounded weights?

    uv run sprints/20_quantization_aware_training/few_bits.py
    uv run sprints/20_quantization_aware_training/few_bits.py --preset full
    uv run sprints/20_quantization_aware_training/few_bits.py --preset shipped

A small GPT learns lists of ingredients, whose optimum is known. From there it goes on in three ways with the same
texts, steps and search of the learning rate: in float32; in float32 and rounded afterwards; and aware of the rounding.
Without options it is one GPT with 4 and with 2 bits, trained for a shorter time than the five of `--preset full`.
`--preset shipped` asks the same of the GPT of the course. So few texts could teach it nothing; what has few bits learns
from the float model (note 8), which stays as it is. Theory: notes/07_few_bits_in_a_gpt.md
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

from matplotlib.figure import Figure
from tqdm import tqdm

from aware.distillation import distillation_loss
from aware.recipes import Recipes, ShoppingLists
from aware.trials import (
    NAMES,
    SCHEMES,
    Trials,
    bits_of,
    excess,
    go_on,
    moved,
    on_one_thread,
    prepared,
    search_and_repeat,
    seeds_of,
    train_float,
)  # fmt: skip
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.corpora import cookbook_tokenizer
from shared.training.losses import language_model_loss

Scheme = Literal["8", "4", "3", "2", "ternary", "bitnet"]
ALL: tuple[Scheme, ...] = ("8", "4", "3", "2", "ternary", "bitnet")
FULL = {"schemes": ALL, "float_steps": 600, "steps": 150, "validation_texts": 256, "test_texts": 512, "seeds": 5}
PRESETS = {
    "full": FULL,
    "shipped": FULL | {
        "model": "shipped", "schemes": ("4", "2"), "steps": 80, "batch_size": 8, "seeds": 3, "rates": (3e-4, 1e-3),
        "validation_texts": 64, "test_texts": 128,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: Literal["scratch", "shipped"] = "scratch"  # a small GPT for each seed, or the one of the course
    schemes: Annotated[tuple[Scheme, ...], Different] = ("4", "2")  # how to round
    layers: PositiveInt = 2  # blocks of the small GPT
    groups: PositiveInt = 1  # features of its tokens, in groups of 64
    float_steps: PositiveInt = 400  # optimizer steps from scratch, in float32
    steps: PositiveInt = 60  # optimizer steps after that, of each way
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-4, 1e-3, 3e-3)  # peak learning rates tried
    batch_size: PositiveInt = 16  # texts in a step
    validation_texts: PositiveInt = 64  # by which the rate is chosen
    test_texts: PositiveInt = 256  # by which the models are measured
    seeds: PositiveInt = 1  # runs of each way


@dataclass(frozen=True)
class Float:
    """The float model: nats above the optimum at first and after as many steps as the others, and how far it moved."""

    first: MeanInterval
    longer: MeanInterval
    rate: float
    searched: dict[str, float]
    moved: MeanInterval


@dataclass(frozen=True)
class Rounded:
    """A way to round: nats above the optimum afterwards and aware, and the share of what was lost that came back."""

    bits: float
    afterwards: MeanInterval
    aware: MeanInterval
    lost: MeanInterval
    recovered: MeanInterval | None  # None where the interval of what was lost holds 0
    least_squares: bool  # whether the steps of the least squared error are those that afterwards lose least
    rate: float
    searched: dict[str, float]
    moved: MeanInterval


@dataclass(frozen=True)
class Results:
    optimum: float
    float32: Float
    schemes: dict[str, Rounded]


def start_models(config: Config, texts: Recipes) -> dict[int, GPT]:
    """Return the float model of each seed: trained from scratch, or the shipped one for all of them."""
    seeds = seeds_of(config.seed, config.seeds)
    if config.model == "shipped":
        shipped, _ = load_causal_model()
        return dict.fromkeys(seeds, GPT.from_transformers(shipped))  # ty: ignore[invalid-argument-type]
    sizes = (config.layers, config.groups)
    return {
        seed: train_float(texts, *sizes, seed, config.float_steps, config.batch_size)
        for seed in tqdm(seeds, desc="float models", leave=False)
    }


def main(config: Config) -> Results:
    on_one_thread()
    texts = ShoppingLists() if config.model == "scratch" else Recipes(cookbook_tokenizer())
    validation = texts.held_out("validation", config.validation_texts, 32)
    test = texts.held_out("test", config.test_texts, 32)
    starts = start_models(config, texts)
    seeds = list(starts)

    shipped = config.model == "shipped"

    def once(name: str | None, seed: int, rate: float) -> GPT:
        if shipped and name is None:
            return starts[seed]  # it could learn nothing from itself
        loss = distillation_loss(starts[seed]) if shipped else language_model_loss
        scheme = None if name is None else SCHEMES[name]
        return go_on(starts[seed], texts, seed, config.steps, rate, config.batch_size, scheme, loss)

    def go(name: str | None) -> Trials[GPT]:
        return search_and_repeat(partial(once, name), partial(excess, held_out=validation), config.rates, seeds)

    def how_far(trials: Trials[GPT]) -> MeanInterval:
        return mean_interval([moved(model, starts[seed]) for model, seed in zip(trials.runs, seeds[1:], strict=True)])

    longer = go(None)
    least = [excess(model, test) for model in longer.runs]
    first = mean_interval([excess(starts[seed], test) for seed in seeds[1:]])
    plain = Float(first, mean_interval(least), longer.rate, longer.searched, how_far(longer))
    print(f"optimum {test.optimum:.4f}; float32 is {show_interval(*plain.longer, '.4f')} above it")
    found = {}
    for name in tqdm(config.schemes, desc="ways to round", leave=False):
        scheme, aware = SCHEMES[name], go(name)
        ranges = [replace(scheme, learned=learned) for learned in (True, False)]
        best = min(ranges, key=lambda each: excess(prepared(longer.of_search, each), validation))
        afterwards = [excess(prepared(model, best), test) for model in longer.runs]
        nats = [excess(model, test) for model in aware.runs]
        lost = mean_interval([after - before for after, before in zip(afterwards, least, strict=True)])
        shares = [(after - own) / (after - before) for after, own, before in zip(afterwards, nats, least, strict=True)]
        known = lost[1] is None or lost[0] > lost[1]
        found[name] = Rounded(
            bits_of(scheme), mean_interval(afterwards), mean_interval(nats), lost,
            mean_interval(shares) if known else None, best.learned, aware.rate, aware.searched, how_far(aware),
        )  # fmt: skip
        print(f"{NAMES[name]}: afterwards {show_interval(*found[name].afterwards, '.4f')}, ", end="")
        print(f"aware {show_interval(*found[name].aware, '.4f')}")
    return Results(test.optimum, plain, found)


def plot(results: Results) -> Figure:
    """Draw how far each way is above the optimum, and how far training moved the weights, by bits of a weight."""
    figure, (losses, lengths) = new_figure(9.6, 4.2, columns=2)
    rows = sorted(results.schemes.items(), key=lambda item: item[1].bits)
    bits = [row.bits for _, row in rows]
    for what, words, colour in (("afterwards", "rounded afterwards", "C3"), ("aware", "aware", "C0")):
        means = [getattr(row, what) for _, row in rows]
        halves = error_bars([half for _, half in means])
        losses.errorbar(bits, [mean for mean, _ in means], halves, fmt="o-", capsize=3, color=colour)
        losses.annotate(words, (bits[0], means[0][0]), (6, 8), textcoords="offset points", color=colour)
    losses.axhline(results.float32.longer[0], color="black", linestyle="--")
    losses.annotate("float32, as many steps", (bits[-1], results.float32.longer[0]), (0, -14), ha="right",
                    textcoords="offset points")  # fmt: skip
    losses.set(xscale="log", yscale="log", ylabel="nats per token above the optimum")
    halves = error_bars([row.moved[1] for _, row in rows])
    lengths.errorbar(bits, [100 * row.moved[0] for _, row in rows], [100 * half for half in halves], fmt="o-",
                     capsize=3, color="C0")  # fmt: skip
    lengths.axhline(100 * results.float32.moved[0], color="black", linestyle="--")
    lengths.set_ylim(bottom=0)
    lengths.annotate("float32", (bits[len(bits) // 2], 100 * results.float32.moved[0]), (0, 4), ha="right",
                     textcoords="offset points")  # fmt: skip
    lengths.set(xscale="log", ylabel="training moved the weights by, %")
    for axes in (losses, lengths):
        axes.set_xlabel("bits of a weight, its step counted")
        axes.set_xticks(bits, [name for name, _ in rows], rotation=40)
        axes.minorticks_off()
    return figure


TOLERANCE = {"float32.*": TRAINED, "schemes.*": TRAINED, "*.rate": TIMING, "*.recovered*": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
