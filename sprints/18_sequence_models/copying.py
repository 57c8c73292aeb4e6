"""Who can copy, and how long a pattern? Models with a state beside transformers, of one layer and of two.

    uv run sprints/18_sequence_models/copying.py
    uv run sprints/18_sequence_models/copying.py --preset full
    uv run sprints/18_sequence_models/copying.py --arms mamba2

A row is a separator, different random tokens, the separator, and the same tokens again; the second copy is scored. All
models see the same number of rows. By default a transformer and an LSTM are trained once, with one rate;
`--preset full` adds Mamba-2, five runs of each model, and the same search for each rate. Theory: notes/13_copying.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from sequences.copying import bits_needed, copy_rows
from sequences.memory_models import NAMES, Arm, make_model
from sequences.trials import ScoredRows, Trials, fit, predicted, search_and_repeat
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything

PRESETS = {"full": {"arms": ("llama", "lstm", "mamba2"), "rates": (1e-3, 3e-3), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[Arm, ...], Different] = ("llama", "lstm")  # models
    layers: Annotated[tuple[PositiveInt, ...], Different] = (1, 2)  # blocks of each model
    lengths: Annotated[tuple[PositiveInt, ...], Different] = (2, 4, 8, 12, 16, 24)  # tokens of the measured patterns
    vocab: PositiveInt = 32  # distinct tokens
    d_model: PositiveInt = 64  # features of a token
    heads: PositiveInt = 4  # heads of a layer
    steps: PositiveInt = 1000  # optimizer steps
    batch_size: PositiveInt = 32  # rows of a batch, of lengths from 1 to the largest that is measured
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    rows: PositiveInt = 256  # new rows of each length that are measured
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if max(self.lengths) > self.vocab:
            raise ValueError(
                f"the tokens of a pattern differ; got --lengths {max(self.lengths)} of --vocab {self.vocab}: "
                "give more tokens"
            )


@dataclass(frozen=True)
class Copier:
    """A model: parameters, numbers kept of the longest pattern, and its runs (loss, then the accuracy by length)."""

    parameters: int
    kept_numbers: int
    trials: Trials
    exact: list[MeanInterval]
    tokens: list[MeanInterval]


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    bits_needed: list[float]
    models: dict[str, Copier]


def run_once(config: Config, arm: Arm, layers: int, rate: float, seed: int) -> list[float]:
    """Train one model; return its mean loss, then by length the share of patterns copied whole, and of tokens."""
    generator = seed_everything(seed)
    longest = max(config.lengths)
    model = make_model(arm, config.vocab + 1, config.d_model, 2 * longest + 2, layers, config.heads)

    def draw(generator: torch.Generator) -> ScoredRows:
        return copy_rows(config.vocab, 1, longest, config.batch_size, generator)

    for _ in tqdm(fit(model, draw, config.steps, rate, generator), total=config.steps, desc=f"{arm}, {layers} layers"):
        pass
    losses, whole, parts = [], [], []
    for length in config.lengths:
        rows = copy_rows(config.vocab, length, length, config.rows, generator)
        right, loss = predicted(model, rows)
        losses.append(loss[rows[1]].mean().item())
        whole.append(right[:, length + 1 :].all(dim=1).double().mean().item())
        parts.append(right[rows[1]].double().mean().item())
    return [sum(losses) / len(losses), *whole, *parts]


def compare(config: Config, arm: Arm, layers: int) -> Copier:
    """Search the rate of a model, train it with each seed, and put its figures together."""
    seeds = [config.seed + index for index in range(config.seeds)]
    trials = search_and_repeat(partial(run_once, config, arm, layers), config.rates, seeds, config.seed + 1000)
    means = [mean_interval(values) for values in zip(*trials.values, strict=True)]
    places, longest = len(config.lengths), max(config.lengths)
    model = make_model(arm, config.vocab + 1, config.d_model, 2 * longest + 2, layers, config.heads)
    return Copier(
        model.parameter_count(), model.state_numbers(longest + 2), trials, means[1 : places + 1], means[places + 1 :]
    )


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    models = {}
    for arm in config.arms:
        for layers in config.layers:
            name = f"{NAMES[arm]}, {layers} layer{'s' * (layers > 1)}"
            models[name] = found = compare(config, arm, layers)
            shown = ", ".join(
                f"{length}: {mean:.3f}" for length, (mean, _) in zip(config.lengths, found.exact, strict=True)
            )
            print(f"{name}: copied whole by length {shown}")
    return Results(list(config.lengths), [bits_needed(config.vocab, length) for length in config.lengths], models)


def plot(results: Results) -> Figure:
    """Draw the share of patterns copied whole, and of tokens, by the length of the pattern."""
    figure, panels = new_figure(9.6, 4.2, columns=2)
    for panel, what in zip(panels, ("exact", "tokens"), strict=True):
        for index, (name, model) in enumerate(results.models.items()):
            means, halves = zip(*vars(model)[what], strict=True)
            places = [length + 0.12 * (index - len(results.models) / 2) for length in results.lengths]
            line = {"color": f"C{index // 2}", "linestyle": "-" if index % 2 else ":", "marker": "os"[index % 2]}
            panel.errorbar(places, means, error_bars(halves), capsize=2, label=name, **line)
        panel.set(xlabel="tokens of the pattern", ylim=(-0.03, 1.03), xticks=results.lengths)
    panels[0].set(ylabel="share", title="patterns copied without a mistake")
    panels[1].set(title="tokens of the copy")
    panels[1].legend(loc="lower left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"models.*": TRAINED})
