"""Does an aware model learn more from the float model than from texts?

    uv run sprints/20_quantization_aware_training/distil.py
    uv run sprints/20_quantization_aware_training/distil.py --preset full
    uv run sprints/20_quantization_aware_training/distil.py --schemes 4 --temperature 2

A GPT with few bits goes on from a float model with the same texts and the same search of the learning rate, and learns
the next token of the texts; the float model's probabilities of all tokens; or half of each. A third more steps on texts
alone cost about as much as asking the float model. Without options one model of 2 bits learns each lesson, with half of
the steps and a weaker teacher than the five of `--preset full`. Theory: notes/08_learning_from_the_float_model.md
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from tqdm import tqdm

from aware.distillation import distillation_loss
from aware.recipes import ShoppingLists
from aware.trials import NAMES, SCHEMES, excess, go_on, on_one_thread, search_and_repeat, seeds_of, train_float
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT
from shared.training.losses import language_model_loss

Scheme = Literal["8", "4", "3", "2", "ternary", "bitnet"]
Lesson = Literal["texts", "longer", "half", "soft"]
LESSONS: dict[Lesson, str] = {
    "texts": "texts",
    "longer": "texts, a third more steps",
    "half": "half texts, half float model",
    "soft": "float model",
}

PRESETS = {
    "full": {
        "schemes": ("4", "2"), "float_steps": 600, "steps": 90, "rates": (3e-4, 1e-3, 3e-3), "validation_texts": 256,
        "test_texts": 512, "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    schemes: Annotated[tuple[Scheme, ...], Different] = ("2",)  # how to round
    lessons: Annotated[tuple[Lesson, ...], Different] = ("texts", "longer", "half", "soft")  # what to learn from
    temperature: PositiveFloat = 1.0  # of the float model's probabilities
    layers: PositiveInt = 2  # blocks of the GPT
    groups: PositiveInt = 1  # features of its tokens, in groups of 64
    float_steps: PositiveInt = 400  # optimizer steps from scratch, in float32
    steps: PositiveInt = 45  # optimizer steps aware
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # peak learning rates tried
    batch_size: PositiveInt = 16  # texts in a step
    validation_texts: PositiveInt = 64  # by which the rate is chosen
    test_texts: PositiveInt = 256  # by which the models are measured
    seeds: PositiveInt = 1  # runs of each


@dataclass(frozen=True)
class Learnt:
    """A lesson: nats above the optimum, above learning from texts for as many steps, run by run, and its search."""

    excess: MeanInterval
    above_texts: MeanInterval | None
    rate: float
    searched: dict[str, float]


@dataclass(frozen=True)
class Results:
    optimum: float
    float32: MeanInterval  # of the model that is asked
    schemes: dict[str, dict[str, Learnt]]


def main(config: Config) -> Results:
    on_one_thread()
    texts, seeds = ShoppingLists(), seeds_of(config.seed, config.seeds)
    validation = texts.held_out("validation", config.validation_texts)
    test = texts.held_out("test", config.test_texts)
    starts = {
        seed: train_float(texts, config.layers, config.groups, seed, config.float_steps, config.batch_size)
        for seed in tqdm(seeds, desc="float models", leave=False)
    }

    def make(scheme: Scheme, lesson: Lesson, seed: int, rate: float) -> GPT:
        share = {"soft": 1.0, "half": 0.5}.get(lesson)
        loss = language_model_loss if share is None else distillation_loss(starts[seed], share, config.temperature)
        steps = config.steps * 4 // 3 if lesson == "longer" else config.steps
        return go_on(starts[seed], texts, seed, steps, rate, config.batch_size, SCHEMES[scheme], loss)

    float32 = mean_interval([excess(starts[seed], test) for seed in seeds[1:]])
    print(f"the float model is {show_interval(*float32, '.4f')} above the optimum")
    found: dict[str, dict[str, Learnt]] = {}
    for scheme in config.schemes:
        nats: dict[str, list[float]] = {}
        found[scheme] = {}
        for lesson in tqdm(config.lessons, desc=NAMES[scheme], leave=False):
            once = partial(make, scheme, lesson)
            trials = search_and_repeat(once, partial(excess, held_out=validation), config.rates, seeds)
            nats[lesson] = [excess(model, test) for model in trials.runs]
            found[scheme][lesson] = Learnt(mean_interval(nats[lesson]), None, trials.rate, trials.searched)
            print(f"{NAMES[scheme]}, {LESSONS[lesson]}: {show_interval(*mean_interval(nats[lesson]), '.4f')}")
        for lesson in set(nats) - {"texts"} if "texts" in nats else ():
            above = [own - other for own, other in zip(nats[lesson], nats["texts"], strict=True)]
            found[scheme][lesson] = replace(found[scheme][lesson], above_texts=mean_interval(above))
    return Results(test.optimum, float32, found)


def plot(results: Results) -> Figure:
    """Draw how far each lesson ends above the optimum, a panel for each way to round."""
    figure, panels = new_figure(4.9 * len(results.schemes), 3.2, columns=len(results.schemes))
    panels = panels if len(results.schemes) > 1 else [panels]
    for axes, (scheme, rows) in zip(panels, results.schemes.items(), strict=True):
        for index, row in enumerate(rows.values()):
            axes.errorbar(row.excess[0], index, xerr=error_bars([row.excess[1]]), fmt="o", capsize=4, color=f"C{index}")
        axes.axvline(results.float32[0], color="black", linestyle="--")
        axes.annotate("float model", (results.float32[0], -0.5), (4, -10), textcoords="offset points")
        axes.set_yticks(range(len(rows)), [LESSONS[lesson] for lesson in rows])  # ty: ignore[invalid-argument-type]
        axes.set(title=NAMES[scheme], xlabel="nats per token above the optimum", ylim=(len(rows) - 0.5, -0.7))
        axes.xaxis.set_major_locator(MaxNLocator(4))
    for axes in panels[1:]:
        axes.set_yticklabels([])
    return figure


TOLERANCE = {"float32*": TRAINED, "schemes.*": TRAINED, "*.rate": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
