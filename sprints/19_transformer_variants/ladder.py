"""From GPT-2 to a modern decoder, one change at a time: what does each buy, and what does it cost?

    uv run sprints/19_transformer_variants/ladder.py
    uv run sprints/19_transformer_variants/ladder.py --preset full
    uv run sprints/19_transformer_variants/ladder.py --preset upper
    uv run sprints/19_transformer_variants/ladder.py --preset fast

Each rung is the one before with one switch turned. All read the same recipes for the same steps. By default three
rungs are trained once, with one rate: a change of one run has no interval, so nothing is a gain yet. `--preset full`
has five rungs and five runs of each, after the same search for its rate on validation recipes; test recipes are read
once. Theory: notes/13_the_ladder.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure

from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import EXACT, ROUNDING, TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.decoder import Decoder, DecoderConfig
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.training.loop import NonFiniteTraining
from variants.ladder_rungs import NAMES, Rung, rung_config
from variants.ladder_runs import batches_of, loss_of, optimum, train_rung
from variants.trials import search_and_repeat

SEARCHED = {"factors": (2.0, 4.0, 8.0), "steps": 350, "seeds": 5}
PRESETS = {
    "full": {"rungs": ("gpt2", "no_biases", "rms_norm", "rotary", "swiglu"), **SEARCHED},
    "upper": {"rungs": ("swiglu", "grouped", "qk_norm", "untied", "soft_cap", "window"), **SEARCHED},
    # No search: what is left of the two at the highest of the rates?
    "fast": {"rungs": ("grouped", "qk_norm"), **SEARCHED, "factors": (8.0,)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    rungs: Annotated[tuple[Rung, ...], Different] = ("rms_norm", "rotary", "swiglu")  # from below
    factors: Annotated[tuple[PositiveFloat, ...], Different] = (2.0,)  # of sprint 9's learning rates, tried
    vocab_size: PositiveInt = 2048  # tokens of the vocabulary
    context: PositiveInt = 256  # tokens that a model is made for
    layers: PositiveInt = 3  # blocks
    heads: PositiveInt = 4  # query heads of a block
    d_model: PositiveInt = 64  # features of a token
    steps: PositiveInt = 250  # optimizer steps of each training
    batch_size: PositiveInt = 8  # recipes in a step
    validation_recipes: PositiveInt = 64  # by which the rate is chosen
    test_recipes: PositiveInt = 128  # by which the models are measured
    seeds: PositiveInt = 1  # runs of each rung

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        for rung in self.rungs:  # what a rung cannot have is said before the first one is trained
            self.model_of(rung, vocab_size=1)

    def model_of(self, rung: Rung, vocab_size: int) -> DecoderConfig:
        """Return the configuration of a rung."""
        sizes = {"context": self.context, "layers": self.layers, "heads": self.heads, "d_model": self.d_model}
        return rung_config(rung, vocab_size, **sizes)


@dataclass(frozen=True)
class Step:
    """A rung: its size, the chosen factor and what each came to, the loss of each seed, above the optimum, and seconds.

    `broken` counts the runs whose loss left the numbers: they enter as models that have learnt nothing, without a time.
    `change` is the loss less that of the rung before, run by run: below 0 is a gain.
    """

    parameters: int
    cache_bytes: int
    factor: float
    searched: dict[str, float]
    losses: list[float]
    above: MeanInterval
    change: MeanInterval | None
    seconds: MeanInterval | None
    broken: int


@dataclass(frozen=True)
class Results:
    optimum: float
    context: int
    rungs: dict[str, Step]


def measure(config: Config, rung: Rung, corpus: CookbookCorpus, before: list[float] | None) -> Step:
    """Search the rate of a rung with a seed of its own, train it with each seed, and compare it with the one before."""
    model = config.model_of(rung, corpus.tokenizer.vocab_size)
    validation = batches_of(corpus, "validation", config.validation_recipes, config.context)
    test = batches_of(corpus, "test", config.test_recipes, config.context)

    def once(factor: float, seed: int) -> tuple[float, float, float | None]:
        try:
            trained, seconds = train_rung(model, corpus, factor, seed, config.steps, config.batch_size)
        except NonFiniteTraining:
            return math.log(model.vocab_size), math.log(model.vocab_size), None
        return loss_of(trained, validation), loss_of(trained, test), seconds

    trials = search_and_repeat(once, lambda run: run[0], config.factors, config.seeds, config.seed)
    losses, seconds = [run[1] for run in trials.runs], [run[2] for run in trials.runs if run[2] is not None]
    least = optimum(corpus, "test", config.test_recipes)
    change = None if before is None else mean_interval([b - a for a, b in zip(before, losses, strict=True)])
    return Step(
        Decoder(model).parameter_count(), 4 * model.cache_numbers(config.context), trials.rate, trials.searched,
        losses, mean_interval([loss - least for loss in losses]), change, mean_interval(seconds) if seconds else None,
        len(losses) - len(seconds),
    )  # fmt: skip


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # weights of a sure head are below the normal numbers, which are slow on a CPU
    keep_freed_memory()
    corpus = CookbookCorpus(cookbook_tokenizer(config.vocab_size))
    found: dict[str, Step] = {}
    before: list[float] | None = None
    for rung in config.rungs:
        found[rung] = step = measure(config, rung, corpus, before)
        before = step.losses
        change = "" if step.change is None else f", change {show_interval(*step.change, '+.3f')}"
        print(
            f"{NAMES[rung]}: {step.parameters:,} parameters, rates x {step.factor:g}, "
            f"above the optimum {show_interval(*step.above, '.3f')}{change}"
        )
    return Results(optimum(corpus, "test", config.test_recipes), config.context, found)


def plot(results: Results) -> Figure:
    """Draw how far each rung is above the optimum, and what each changed, with intervals."""
    figure, (left, right) = new_figure(10.0, 0.9 + 0.55 * len(results.rungs), columns=2)
    names = [NAMES[rung] for rung in results.rungs]  # ty: ignore[invalid-argument-type]
    places = range(len(names))
    for place, step in zip(places, results.rungs.values(), strict=True):
        left.errorbar(step.above[0], place, xerr=error_bars([step.above[1]]), fmt="o", color="C0", capsize=3)
        if step.change is not None:
            right.errorbar(step.change[0], place, xerr=error_bars([step.change[1]]), fmt="o", color="C1", capsize=3)
    left.set(yticks=places, yticklabels=names, xlabel="loss above the optimum (nats per token)")
    right.axvline(0, color="black", linestyle=":")
    right.set(yticks=places, yticklabels=[], xlabel="change from the rung before (nats per token; left is better)")
    for axes in (left, right):
        axes.set_ylim(len(names) - 0.5, -0.5)
    return figure


TOLERANCE = {
    "rungs.*": TRAINED, "rungs.*.factor": TIMING, "rungs.*.searched.*": TRAINED, "rungs.*.parameters": EXACT,
    "rungs.*.cache_bytes": EXACT, "rungs.*.seconds*": TIMING, "optimum": ROUNDING,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
