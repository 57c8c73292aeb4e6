"""How many pairs does a state of one matrix hold, if it adds and if it corrects? And if every pair changes once?

    uv run sprints/18_sequence_models/adding_or_correcting.py

Keys are random directions, values +1 and -1, nothing is learnt: each pair is written once (or twice, the second time
with a new value), then every key is asked. An error of 1 is that of answering nothing. Theory: notes/10_delta_rule.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.checks.intervals import error_bars, mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.delta_rule import delta_in_chunks
from shared.nn.linear_attention import attend_in_chunks

RULES = ("adding", "delta rule")


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16, 32, 48, 64)  # keys with a value each
    head_dim: AtLeastTwo = 32  # entries of a key
    features: PositiveInt = 16  # entries of a value
    rows: PositiveInt = 64  # states that are filled at once
    seeds: PositiveInt = 5  # draws of keys and values


@dataclass(frozen=True)
class Results:
    pairs: list[int]
    errors: dict[str, dict[str, list[list[float]]]]
    expected_adding: dict[str, list[float]]


def error(config: Config, rule: str, pairs: int, twice: bool, generator: torch.Generator) -> float:
    """Return the mean squared error of the answers, in units of that of answering 0."""
    key = functional.normalize(torch.randn(config.rows, 1, pairs, config.head_dim, generator=generator), dim=-1)
    shape = (config.rows, 1, pairs, config.features)

    def draw() -> Tensor:
        return torch.randint(2, shape, generator=generator) * 2.0 - 1

    value = draw()
    keys, values = (torch.cat([key, key], dim=2), torch.cat([value, value := draw()], dim=2)) if twice else (key, value)
    never = torch.zeros(keys.shape[:3])
    if rule == "adding":
        _, state = attend_in_chunks(keys, keys, values, never)
    else:
        _, state = delta_in_chunks(keys, keys, values, never, torch.ones_like(never))
    return (key @ state - value).pow(2).mean().item()  # key @ state: each key is asked as a query


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    errors: dict[str, dict[str, list[list[float]]]] = {}
    for name, twice in (("each key once", False), ("each key twice", True)):
        errors[name] = {
            rule: [
                [error(config, rule, pairs, twice, generator) for _ in range(config.seeds)] for pairs in config.pairs
            ]
            for rule in RULES
        }
        for rule, rows in errors[name].items():
            shown = ", ".join(
                f"{pairs}: {mean_interval(row)[0]:.3f}" for pairs, row in zip(config.pairs, rows, strict=True)
            )
            print(f"{name}, {rule}: {shown}")
    # of each other pair 1 / head_dim gets in; the old value of the key itself gets in whole
    expected = {"each key once": [(pairs - 1) / config.head_dim for pairs in config.pairs],
                "each key twice": [1 + 2 * (pairs - 1) / config.head_dim for pairs in config.pairs]}  # fmt: skip
    return Results(list(config.pairs), errors, expected)


def plot(results: Results) -> Figure:
    """Draw the error of both rules against the number of pairs, with the formula for adding."""
    figure, panels = new_figure(8.4, 3.8, columns=2)
    for panel, (name, rows) in zip(panels, results.errors.items(), strict=True):
        panel.axhline(1, color="#777777", linewidth=1)
        panel.annotate("answering 0", (results.pairs[-1], 1), (0, 4), textcoords="offset points", ha="right")
        for rule, runs in rows.items():
            means = [mean_interval(row) for row in runs]
            bars = error_bars([half for _, half in means])
            drawn = panel.errorbar(results.pairs, [mean for mean, _ in means], bars, marker="o", capsize=3)
            place = len(means) - 2
            panel.annotate(
                rule, (results.pairs[place], means[place][0]), (-6, 6) if rule == "adding" else (4, -16),
                textcoords="offset points", ha="right" if rule == "adding" else "left", color=drawn[0].get_color(),
            )  # fmt: skip
        panel.plot(
            results.pairs, results.expected_adding[name], ":", color="black", label="formula for adding", zorder=5
        )
        panel.set(xlabel="pairs", ylabel="squared error of an answer (1: that of 0)", title=name, ylim=(0, None))
        panel.legend(loc="upper left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
