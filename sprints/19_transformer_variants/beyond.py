"""What does a model do with a text four times as long as those that it was trained on? Loss by position.

    uv run sprints/19_transformer_variants/beyond.py
    uv run sprints/19_transformer_variants/beyond.py --preset full
    uv run sprints/19_transformer_variants/beyond.py --kinds window alibi

Rows of dominoes, whose best prediction is known at every position. Most pieces follow a table that has to be gathered
from the whole row, in any order; some follow a rule that needs the piece before. Rotary models are measured with every
scaling too, without further training. By default three kinds are trained once, with one rate; `--preset full` has all
six, five runs of each, and the same search for each rate. Theory: notes/19_beyond_the_trained_length.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Annotated

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from torch import Tensor
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, Even, OpenFraction, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.training.losses import language_model_loss, token_losses
from variants.dominoes import best_losses, by_rule, draw_rows
from variants.long_model import Kind, LongConfig, LongModel, scalings_for
from variants.trials import Trials, fit, search_and_repeat

NAMES = {
    "none": "no positions", "learned": "learned", "sinusoidal": "sinusoidal", "rotary": "rotary",
    "window": "rotary, window", "alibi": "ALiBi",
}  # fmt: skip
KINDS: tuple[Kind, ...] = ("none", "learned", "sinusoidal", "rotary", "window", "alibi")
PRESETS = {"full": {"kinds": KINDS, "rates": (2e-3, 5e-3), "rows": 512, "seeds": 5}}
AS_TRAINED = "as trained"
ROWS_SEED = 12_345  # of the rows that all models are measured on
# Loss above the optimum in nats, by scaling and by rule ("table", "order"), of each stretch of positions.
Curves = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    kinds: Annotated[tuple[Kind, ...], Different] = ("learned", "rotary", "alibi")  # models
    context: Even = 32  # pieces of a row in training
    times: AtLeastTwo = 4  # how many times as long the measured rows are
    numbers: AtLeastTwo = 8  # on the pieces
    concentration: PositiveFloat = 0.1  # the smaller, the stricter the table of a row
    dots: OpenFraction = 0.25  # share of pieces after which the order decides
    layers: PositiveInt = 2  # blocks of each model
    heads: PositiveInt = 4  # heads of a layer
    d_model: PositiveInt = 48  # features of a piece
    window: AtLeastTwo = 16  # pieces that the model with a window looks at in each layer
    steps: PositiveInt = 700  # optimizer steps
    batch_size: PositiveInt = 64  # rows of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (5e-3,)  # learning rates that are tried
    rows: PositiveInt = 256  # rows that are measured
    seeds: PositiveInt = 1  # runs of each kind

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.d_model // self.heads % 2 or self.d_model // self.heads < 4:
            raise ValueError(
                f"rotary positions turn pairs of a head's features, two pairs at least; got --d-model {self.d_model} "
                f"and --heads {self.heads}: give fewer heads"
            )


@dataclass(frozen=True)
class Results:
    """By model and rule: nats above the optimum by stretch (`ends`), their mean beyond the context, what scaling gains.

    `optimum` is the optimum by rule, `windowed` that of who remembers the last `reach` pieces only.
    """

    context: int
    ends: list[int]
    optimum: dict[str, list[float]]
    reach: int
    windowed: dict[str, list[float]]
    above: dict[str, dict[str, list[MeanInterval]]]
    beyond: dict[str, dict[str, MeanInterval]]
    gain: dict[str, dict[str, MeanInterval]]
    trials: dict[str, Trials[Curves]]


def batches(config: Config, generator: torch.Generator) -> Iterator[tuple[Tensor, None]]:
    """Yield fresh rows of the trained length, and one piece more to predict."""
    rules = (config.numbers, config.concentration, config.dots)
    while True:
        many = draw_rows(16 * config.batch_size, config.context + 1, *rules, generator)
        yield from ((rows, None) for rows in many.split(config.batch_size))


def measured_rows(config: Config) -> Tensor:
    """Return the rows that every model is measured on."""
    generator = torch.Generator().manual_seed(ROWS_SEED)
    tokens = config.times * config.context + 1
    return draw_rows(config.rows, tokens, config.numbers, config.concentration, config.dots, generator)


@torch.no_grad()
def losses_of(config: Config, model: LongModel, rows: Tensor, name: str) -> Tensor:
    """Return the losses (rows, positions) of a model with a scaling, each stretch as the end of a text of its own."""
    model.eval()
    parts, size = [], config.context // 2
    for end in range(size, config.times * config.context + 1, size):
        logits = model(rows[:, :end], scaling=scalings_for(config.context, config.times, end)[name])
        parts.append(token_losses(logits, rows[:, : end + 1])[:, end - size :])
    return torch.cat(parts, dim=1)


def run_once(config: Config, kind: Kind, rate: float, seed: int) -> Curves:
    """Train one model; return how far it is above the optimum, by scaling."""
    generator = seed_everything(seed)
    sizes = (config.times * config.context, config.layers, config.heads, config.d_model)
    model = LongModel(LongConfig(kind, 2 * config.numbers**2, *sizes, window=config.window), generator)
    training = fit(model, batches(config, generator), language_model_loss, config.steps, rate)
    for _ in tqdm(training, total=config.steps, desc=f"{NAMES[kind]}, rate {rate:g}, seed {seed}"):
        pass
    rows = measured_rows(config)
    best = best_losses(rows, config.numbers, config.concentration, config.dots)
    names = scalings_for(config.context, config.times, config.context) if kind == "rotary" else [AS_TRAINED]
    return {name: by_rule(rows, losses_of(config, model, rows, name) - best, config.context // 2) for name in names}


def summarise(runs: list[Curves], scaling: str, rule: str) -> tuple[list[MeanInterval], MeanInterval, MeanInterval]:
    """Return intervals over the runs: by stretch, beyond the context, and of what the scaling gains there."""
    curves = [run[scaling][rule] for run in runs]
    far, plain = ([fmean(run[which][rule][2:]) for run in runs] for which in (scaling, AS_TRAINED))
    gains = [before - after for before, after in zip(plain, far, strict=True)]
    return [mean_interval(values) for values in zip(*curves, strict=True)], mean_interval(far), mean_interval(gains)


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    rows, reach = measured_rows(config), config.layers * (config.window - 1) + 1
    rules = (config.numbers, config.concentration, config.dots)
    optimum, windowed = (by_rule(rows, best_losses(rows, *rules, seen), config.context // 2) for seen in (None, reach))
    trials, above, beyond, gain = {}, {}, {}, {}
    for kind in config.kinds:
        trials[NAMES[kind]] = found = search_and_repeat(
            partial(run_once, config, kind),
            lambda curves: fmean(value for values in curves[AS_TRAINED].values() for value in values[:2]),
            config.rates, config.seeds, config.seed,
        )  # fmt: skip
        for scaling in found.runs[0]:
            name = NAMES[kind] if scaling == AS_TRAINED else f"{NAMES[kind]}, {scaling}"
            parts = {rule: summarise(found.runs, scaling, rule) for rule in optimum}
            above[name], beyond[name], gains = ({rule: part[i] for rule, part in parts.items()} for i in range(3))
            if scaling != AS_TRAINED:
                gain[name] = gains
            shown = ", ".join(f"{rule} {above[name][rule][1][0]:.3f} → {beyond[name][rule][0]:.3f}" for rule in optimum)
            print(f"{name}, nats above the optimum at the trained length → beyond: {shown}")
    ends = list(range(config.context // 2, config.times * config.context + 1, config.context // 2))
    return Results(config.context, ends, optimum, reach, windowed, above, beyond, gain, trials)


def plot(results: Results) -> Figure:
    """Draw the loss above the optimum by position, of both rules: kinds of positions, and scalings of rotary ones."""
    figure, panels = new_figure(9.6, 7.0, rows=2, columns=2)
    kinds = [name for name in results.above if name in NAMES.values()]
    scaled = ["rotary", *results.gain]
    titles = {"table": "pieces that follow the row's table", "order": "pieces that follow the one before"}
    for row, rule in enumerate(titles):
        for column, names in enumerate((kinds, scaled)):
            panel = panels[row, column]
            for index, name in enumerate(name for name in names if name in results.above):
                means, halves = zip(*results.above[name][rule], strict=True)
                places = [end - results.ends[0] / 2 + 0.6 * index for end in results.ends]
                label = name.removeprefix("rotary, ") if column and name != "rotary" else name
                style = {"color": f"C{index}", "marker": "osv^Dx"[index], "markersize": 4, "capsize": 2}
                panel.errorbar(places, means, error_bars(halves), label=label, **style)
            panel.axvline(results.context, color="#777777", linestyle=":")
            panel.set(title=titles[rule] if not column else "the same, rotary slowed down", yscale="log")
            panel.yaxis.set_minor_formatter(NullFormatter())
            low, high = panel.get_ylim()
            ticks = [tick for tick in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10) if low <= tick <= high]
            panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        panels[row, 0].set(ylabel="above the optimum (nats, logarithmic)")
        panels[1, row].set(xlabel="position in the row (pieces)")
    panels[0, 0].legend(fontsize=8, ncols=2)
    panels[0, 1].legend(fontsize=8, ncols=2)
    return figure


if __name__ == "__main__":
    trained = ("above.*", "beyond.*", "gain.*", "trials.*")
    run(main, Config, plot=plot, presets=PRESETS, tolerance=dict.fromkeys(trained, TRAINED))
