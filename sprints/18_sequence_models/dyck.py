"""How well does each model keep track of open brackets? Its loss by depth, beside the exact optimum.

    uv run sprints/18_sequence_models/dyck.py
    uv run sprints/18_sequence_models/dyck.py --preset full
    uv run sprints/18_sequence_models/dyck.py --deepest 4 --arms lstm mamba2

Brackets of several kinds open and close at random, each closed by its own kind. The entropy of the grammar is known
exactly, and so is what every model leaves on the table at each depth. By default a transformer, an RNN and an LSTM are
trained once, with one rate; `--preset full` adds Mamba-2, five runs of each, and the same search for each rate. Theory:
notes/15_nested_brackets.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from sequences.dyck import Brackets
from sequences.memory_models import NAMES, Arm, make_model
from sequences.trials import ScoredRows, Trials, fit, predicted, search_and_repeat
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, OpenFraction, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything

PRESETS = {"full": {"arms": ("llama", "rnn", "lstm", "mamba2"), "rates": (1e-3, 3e-3), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[Arm, ...], Different] = ("llama", "rnn", "lstm")  # models
    kinds: PositiveInt = 4  # kinds of brackets
    deepest: AtLeastTwo = 8  # brackets that may be open at once
    opening: OpenFraction = 0.5  # probability of opening, where both are allowed
    tokens: AtLeastTwo = 64  # brackets of a row
    d_model: PositiveInt = 64  # features of a token
    heads: PositiveInt = 4  # heads of a layer
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 32  # rows of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    rows: PositiveInt = 512  # new rows that are measured
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.deepest >= self.tokens:
            raise ValueError(
                f"every depth must be reached; got --deepest {self.deepest} in --tokens {self.tokens}: take longer rows"
            )

    def grammar(self) -> Brackets:
        """Return the grammar."""
        return Brackets(kinds=self.kinds, deepest=self.deepest, opening=self.opening)


@dataclass(frozen=True)
class Tracker:
    """A model and its runs: loss, loss above the optimum by depth, and how often the kind that closes is right."""

    parameters: int
    trials: Trials
    loss: MeanInterval
    above: list[MeanInterval]
    kind: list[MeanInterval]


@dataclass(frozen=True)
class Results:
    optimum: float
    entropy_rate: float
    by_depth: list[float]
    models: dict[str, Tracker]


def closing_kind(logits: Tensor, tokens: Tensor, kinds: int) -> Tensor:
    """Return where the most probable of the closing brackets is the one that came, (rows, targets)."""
    return logits[..., kinds:].argmax(dim=-1) + kinds == tokens[:, 1:]


def run_once(config: Config, arm: Arm, rate: float, seed: int) -> list[float]:
    """Train one model; return its loss, its loss less the entropy at depths 0, 1, ..., and the accuracy of kinds."""
    generator, grammar = seed_everything(seed), config.grammar()
    model = make_model(arm, 2 * config.kinds, config.d_model, config.tokens, heads=config.heads)

    def draw(generator: torch.Generator) -> ScoredRows:
        tokens, _, _ = grammar.draw(config.batch_size, config.tokens + 1, generator)
        return tokens, torch.ones(config.batch_size, config.tokens, dtype=torch.bool)

    for _ in tqdm(fit(model, draw, config.steps, rate, generator), total=config.steps, desc=f"{arm}, seed {seed}"):
        pass
    tokens, depths, partners = (part.detach() for part in grammar.draw(config.rows, config.tokens + 1, generator))
    _, losses = predicted(model, (tokens, torch.ones_like(tokens[:, 1:], dtype=torch.bool)))
    with torch.no_grad():
        kind = closing_kind(model(tokens[:, :-1]), tokens, config.kinds)
    depth, closes = depths[:, 1:], partners[:, 1:] > 0  # of each target: the depth before it
    above = [losses[depth == d].mean().item() - grammar.entropy_at(d) for d in range(config.deepest + 1)]
    kinds = [kind[closes & (depth == d)].double().mean().item() for d in range(1, config.deepest + 1)]
    return [losses.mean().item(), *above, *kinds]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    grammar, models = config.grammar(), {}
    # The first bracket of a row is read and not predicted.
    optimum = (grammar.entropy(config.tokens + 1) * (config.tokens + 1) - grammar.entropy_at(0)) / config.tokens
    print(f"optimum {optimum:.4f} nats per token; entropy rate {grammar.rate():.4f}")
    seeds = [config.seed + index for index in range(config.seeds)]
    for arm in config.arms:
        trials = search_and_repeat(partial(run_once, config, arm), config.rates, seeds, config.seed + 1000)
        loss, *rest = [mean_interval(values) for values in zip(*trials.values, strict=True)]
        parameters = make_model(arm, 2 * config.kinds, config.d_model, config.tokens, heads=config.heads)
        above, kind = rest[: config.deepest + 1], rest[config.deepest + 1 :]
        models[NAMES[arm]] = Tracker(parameters.parameter_count(), trials, loss, above, kind)
        print(f"{NAMES[arm]}: loss {loss[0]:.4f}; above the optimum by depth", *(f"{mean:.3f}" for mean, _ in above))
    return Results(optimum, grammar.rate(), [grammar.entropy_at(d) for d in range(config.deepest + 1)], models)


def plot(results: Results) -> Figure:
    """Draw the loss by depth with the optimum, and the accuracy of the kind that closes."""
    figure, panels = new_figure(9.6, 4.2, columns=2)
    depths = list(range(len(results.by_depth)))
    panels[0].plot(depths, results.by_depth, color="black", marker="_", label="optimum")
    for index, (name, model) in enumerate(results.models.items()):
        look = {"marker": "os^D"[index % 4], "capsize": 2, "label": name, "color": f"C{index}"}
        shift = 0.06 * (index - len(results.models) / 2)
        means, halves = zip(*model.above, strict=True)
        total = [mean + least for mean, least in zip(means, results.by_depth, strict=True)]
        panels[0].errorbar([d + shift for d in depths], total, error_bars(halves), **look)
        means, halves = zip(*model.kind, strict=True)
        panels[1].errorbar([d + shift for d in depths[1:]], means, error_bars(halves), **look)
    panels[0].set(xlabel="open brackets before the token", ylabel="nats per token", ylim=(-0.05, None))
    panels[1].set(xlabel="open brackets before the token", ylabel="accuracy of the kind that closes", ylim=(0, 1.03))
    panels[0].legend(loc="lower left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"models.*": TRAINED})
