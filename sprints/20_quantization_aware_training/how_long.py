"""How much training does it take, aware of the rounding, to win back what rounding costs?

    uv run sprints/20_quantization_aware_training/how_long.py
    uv run sprints/20_quantization_aware_training/how_long.py --preset full

A float model is trained, and then tuned for 1 %, 3 %, 10 % and 30 % as many steps more: in float32, in float32 and
rounded afterwards, and aware. Beside them stands a model that was rounded from its first step on, and trained as long
as the float model. Without options it is one model of 2 bits after half the float steps; `--preset full` has five of 4
and of 2 bits, with a search of the learning rate for each length. Theory: notes/07_few_bits_in_a_gpt.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from matplotlib.figure import Figure
from tqdm import tqdm

from aware.prepare import AwareConfig
from aware.recipes import ShoppingLists
from aware.trials import (
    NAMES,
    SCHEMES,
    excess,
    go_on,
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
from shared.lab.ranges import Different, PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT

Scheme = Literal["8", "4", "3", "2", "ternary", "bitnet"]
PRESETS = {
    "full": {
        "schemes": ("4", "2"), "float_steps": 600, "rates": (5e-4, 2e-3), "validation_texts": 256, "test_texts": 512,
        "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    schemes: Annotated[tuple[Scheme, ...], Different] = ("2",)  # how to round
    shares: Annotated[tuple[PositiveFraction, ...], Different] = (0.01, 0.03, 0.1, 0.3)  # of the float steps, added
    layers: PositiveInt = 2  # blocks of the GPT
    groups: PositiveInt = 1  # features of its tokens, in groups of 64
    float_steps: PositiveInt = 300  # optimizer steps from scratch, in float32
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (2e-3,)  # peak learning rates tried
    batch_size: PositiveInt = 16  # texts in a step
    validation_texts: PositiveInt = 64  # by which the rate is chosen
    test_texts: PositiveInt = 256  # by which the models are measured
    seeds: PositiveInt = 1  # runs of each way

    def steps(self) -> list[int]:
        """Return how many steps a model is tuned."""
        return [max(1, round(share * self.float_steps)) for share in sorted(self.shares)]


class Study:
    """The float models of all seeds, that of the search first, and the texts by which rates are chosen."""

    def __init__(self, config: Config, texts: ShoppingLists) -> None:
        self.config, self.texts = config, texts
        self.validation = texts.held_out("validation", config.validation_texts)
        seeds = seeds_of(config.seed, config.seeds)
        self.starts = {seed: self.from_scratch(seed) for seed in tqdm(seeds, desc="float models", leave=False)}
        self.seeds = seeds[1:]

    def from_scratch(self, seed: int, scheme: AwareConfig | None = None) -> GPT:
        """Return a model that was trained from scratch, rounded from the first step on if there is a scheme."""
        config = self.config
        return train_float(
            self.texts, config.layers, config.groups, seed, config.float_steps, config.batch_size, scheme
        )  # fmt: skip


@dataclass(frozen=True)
class Way:
    """Nats above the optimum after each share of steps, and the learning rate that each took."""

    excess: list[MeanInterval]
    rates: list[float]


@dataclass(frozen=True)
class Rounded:
    """A way to round: afterwards, aware, the share of what was lost that came back, and rounded from the first step."""

    afterwards: list[MeanInterval]
    aware: Way
    recovered: list[MeanInterval]
    from_the_first_step: MeanInterval


@dataclass(frozen=True)
class Results:
    steps: list[int]
    optimum: float
    first: MeanInterval  # of the float model before it is tuned
    float32: Way
    schemes: dict[str, Rounded]


def tuned(config: Config, study: Study, scheme: AwareConfig | None) -> tuple[list[list[GPT]], list[float]]:
    """Return the models that went on in one way, for each number of steps those of all seeds, and their rates."""
    found = []
    for steps in config.steps():

        def make(seed: int, rate: float, steps: int = steps) -> GPT:
            return go_on(study.starts[seed], study.texts, seed, steps, rate, config.batch_size, scheme)

        loss_of = partial(excess, held_out=study.validation)
        found.append(search_and_repeat(make, loss_of, config.rates, list(study.starts)))
    return [trials.runs for trials in found], [trials.rate for trials in found]


def main(config: Config) -> Results:
    on_one_thread()
    texts = ShoppingLists()
    study = Study(config, texts)
    test = texts.held_out("test", config.test_texts)

    def intervals(models: list[list[GPT]]) -> tuple[list[list[float]], list[MeanInterval]]:
        nats = [[excess(model, test) for model in runs] for runs in models]
        return nats, [mean_interval(each) for each in nats]

    plain, rates = tuned(config, study, None)
    least, shown = intervals(plain)
    float32 = Way(shown, rates)
    found = {}
    for name in tqdm(config.schemes, desc="ways to round", leave=False):
        after, afterwards = intervals([[prepared(model, SCHEMES[name]) for model in runs] for runs in plain])
        aware, rates = tuned(config, study, SCHEMES[name])
        nats, shown = intervals(aware)
        shares = [
            mean_interval([(lost - own) / (lost - best) for lost, own, best in zip(*of_a_length, strict=True)])
            for of_a_length in zip(after, nats, least, strict=True)
        ]
        (_, (whole,)) = intervals([[study.from_scratch(seed, SCHEMES[name]) for seed in study.seeds]])
        found[name] = Rounded(afterwards, Way(shown, rates), shares, whole)
        for steps, mean in zip(config.steps(), shown, strict=True):
            print(f"{NAMES[name]}, {steps} steps aware: {show_interval(*mean, '.4f')} above the optimum")
    first = mean_interval([excess(study.starts[seed], test) for seed in study.seeds])
    return Results(config.steps(), test.optimum, first, float32, found)


def plot(results: Results) -> Figure:
    """Draw how far each way is above the optimum by the steps that were tuned, a panel for each way to round."""
    figure, panels = new_figure(4.6 * len(results.schemes), 4.0, columns=len(results.schemes))
    panels = panels if len(results.schemes) > 1 else [panels]
    for axes, (name, row) in zip(panels, results.schemes.items(), strict=True):
        curves = (("rounded afterwards", row.afterwards, "C3"), ("aware", row.aware.excess, "C0"),
                  ("float32", results.float32.excess, "black"))  # fmt: skip
        for words, means, colour in curves:
            halves = error_bars([half for _, half in means])
            axes.errorbar(results.steps, [mean for mean, _ in means], halves, fmt="o-", capsize=3, color=colour)
            place = (6, 3 if words == "aware" else -7)
            axes.annotate(words, (results.steps[-1], means[-1][0]), place, textcoords="offset points", color=colour)
        whole = row.from_the_first_step[0]
        axes.axhline(whole, color="C2", linestyle=":")
        axes.annotate("rounded from the first step", (1, whole), (0, 4), xycoords=("axes fraction", "data"),
                      textcoords="offset points", color="C2", ha="right")  # fmt: skip
        axes.set(xscale="log", title=NAMES[name], xlabel="steps more", ylabel="nats per token above the optimum")
        if row.afterwards[0][0] > 10 * results.first[0]:
            axes.set_yscale("log")
        axes.set_xlim(right=5 * results.steps[-1])  # room for the names
        axes.set_xticks(results.steps, [str(steps) for steps in results.steps])
        axes.tick_params(which="minor", bottom=False)
    return figure


TOLERANCE = {"first*": TRAINED, "float32.*": TRAINED, "schemes.*": TRAINED, "*.rates*": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
