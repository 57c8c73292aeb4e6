"""What does a layer cost on this machine, from 128 to 16,384 tokens: to train it, and for one more token?

    uv run sprints/18_sequence_models/cost.py
    uv run sprints/18_sequence_models/cost.py --lengths 128 1024 --rounds 9

Layers of equal width, in turns; medians. Bytes are counted, not measured: what is kept for the backward pass, and what
is kept of a text for the next token. Theory: notes/17_what_it_costs.md
"""

import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from sequences.layer_costs import NAMES, NO_CACHE, CostArm, layer_of, one_token, read, training_step
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.training.kept_memory import kept_for_backward


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[CostArm, ...], Different] = ("lstm", "mamba", "linear", "attention")  # kinds of layer
    lengths: tuple[AtLeastTwo, ...] = (128, 512, 2048, 4096, 8192, 16384)  # tokens
    d_model: PositiveInt = 64  # features of a token
    heads: PositiveInt = 4  # of both kinds of attention
    rounds: PositiveInt = 5  # timings of each, in turns
    decoded: PositiveInt = 20  # tokens of a timing, each after the same text

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(f"--lengths must rise; got {self.lengths}")


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    training_milliseconds: dict[str, list[float]]
    training_bytes: dict[str, list[int]]
    token_milliseconds: dict[str, list[float]]
    token_bytes: dict[str, list[int]]
    training_crossings: dict[str, int | None]
    token_crossings: dict[str, int | None]
    largest_difference: float


def crossings(lengths: list[int], times: dict[str, list[float]], against: str) -> dict[str, int | None]:
    """Return for each kind the first length from which on `against` takes longer, if there is one."""
    found = {}
    for name, row in times.items():
        wins = [mine < theirs for mine, theirs in zip(row, times.get(against, row), strict=True)]
        always = [length for index, length in enumerate(lengths) if all(wins[index:])]
        found[name] = always[0] if always else None
    return found


def main(config: Config) -> Results:
    keep_freed_memory()
    generator = seed_everything(config.seed)
    layers = {arm: layer_of(arm, config.d_model, config.heads) for arm in config.arms}
    training: dict[str, list[float]] = {NAMES[arm]: [] for arm in config.arms}
    kept: dict[str, list[int]] = {NAMES[arm]: [] for arm in config.arms}
    decoding: dict[str, list[float]] = {}
    remembered: dict[str, list[int]] = {}
    difference = 0.0
    for tokens in tqdm(config.lengths, unit="length"):
        x = torch.randn(1, tokens + 1, config.d_model, generator=generator)
        taken: dict[str, list[float]] = {name: [] for name in training}
        for turn in range(config.rounds + 1):  # the first one warms up
            for arm, layer in layers.items():
                seconds = training_step(layer, x[:, :-1])
                if turn:
                    taken[NAMES[arm]].append(1000 * seconds)
        ways, numbers = {}, {}
        text = x[:, :-1]
        for arm, layer in layers.items():
            training[NAMES[arm]].append(statistics.median(taken[NAMES[arm]]))
            kept[NAMES[arm]].append(kept_for_backward(partial(read, layer, text), [text, *layer.parameters()]))
            more, held = one_token(arm, layer, x)
            ways, numbers = ways | more, numbers | held
        outcomes: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(config.rounds + 1):
            for name, way in ways.items():
                repeats = 1 if name == NO_CACHE else config.decoded
                began = time.perf_counter()
                with torch.no_grad():
                    for _ in range(repeats):
                        way()
                if turn:
                    outcomes[name].append(1000 * (time.perf_counter() - began) / repeats)
        for name, values in outcomes.items():
            decoding.setdefault(name, []).append(statistics.median(values))
            remembered.setdefault(name, []).append(numbers[name])
        if NO_CACHE in ways:
            with torch.no_grad():
                gap = (ways[NO_CACHE]() - ways[NAMES["attention"]]()).abs().max().item()
            difference = max(difference, gap)
    for name in decoding:
        row = f"{training[name][-1]:.0f} ms of training, " if name in training else ""
        print(f"{name}: {row}{decoding[name][-1]:.3f} ms for a token after {config.lengths[-1]:,}")
    lengths = list(config.lengths)
    return Results(
        lengths, training, kept, decoding, remembered, crossings(lengths, training, NAMES["attention"]),
        crossings(lengths, decoding, NAMES["attention"]), difference,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw times and bytes against the length, on logarithmic axes."""
    figure, panels = new_figure(10.0, 7.4, columns=2, rows=2)
    drawn = (
        ("training, milliseconds", results.training_milliseconds, 1.0),
        ("one more token, milliseconds", results.token_milliseconds, 1.0),
        ("kept for the backward pass, MB", results.training_bytes, 1e-6),
        ("kept of the text, kB", results.token_bytes, 1e-3),
    )
    colours = {name: f"C{index}" for index, name in enumerate(results.token_milliseconds)}
    for axes, (label, rows, unit) in zip(panels.flat, drawn, strict=True):
        for index, (name, row) in enumerate(rows.items()):
            look = {"color": colours[name], "marker": "os^Dv"[index % 5], "markersize": 4, "label": name}
            axes.plot(results.lengths, [unit * value for value in row], **look)
        axes.set(xscale="log", yscale="log", xlabel="tokens", ylabel=label)
        axes.set_xticks(results.lengths, [f"{length:,}" for length in results.lengths], rotation=30)
        axes.minorticks_off()
        axes.legend(fontsize=8)
    return figure


TOLERANCE = {"*milliseconds*": TIMING, "*crossings*": TIMING, "*bytes*": EXACT, "largest_difference": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
